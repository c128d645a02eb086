import { useQuery } from '../data/use-query.js';
import { Skeleton } from '../parts/box.js';
import { CurlButton } from '../parts/curl-button.js';
import { ErrorNotice } from '../parts/error-notice.js';
import { toCount, toPrice, toShortName, toSince } from '../parts/format.js';
import { html } from '../preact.js';

/** @import { CostResolveRes } from '../../src/openapi-types.ts' */
/** @import { ApiRequest } from '../data/api.js' */

/** @typedef {NonNullable<CostResolveRes['results'][number]['price']>} ResolvedPrice */

/**
 * Which price a model has at the end of the window, and by which rule.
 * @param {{ project: string, model: string, at: Date }} props
 */
export function PriceExplanation({ project, model, at }) {
  /** @type {ApiRequest} */
  const request = {
    method: 'POST',
    path: '/cost/resolve',
    body: { project_id: project, models: [model], at: at.toISOString() },
  };
  const query = /** @type {typeof useQuery<CostResolveRes>} */ (useQuery)(request);
  const price = query.data?.results[0]?.price;
  return html`<div class="explanation">
    <div class="explanation-head">
      <h3>Why <bdi>${toShortName(model)}</bdi> costs what it costs</h3>
      <${CurlButton} request=${request} />
    </div>
    <${ErrorNotice} query=${query} />
    ${query.data === undefined && query.error === undefined && html`<${Skeleton} lines=${2} />`}
    ${price === null && html`<p>Neither this project nor the price book has a price of this name.</p>`}
    ${price && html`<${Price} price=${price} />`}
  </div>`;
}

/** @param {{ price: ResolvedPrice }} props */
function Price({ price }) {
  const classes = toClasses(price).filter(({ cost }) => cost !== null);
  return html`<p>${describe(price)}</p>
    <dl class="prices">
      ${classes.map(
        ({ name, cost }) =>
          html`<div key=${name}>
            <dt>${name}</dt>
            <dd>${toPrice(cost ?? 0)}</dd>
          </div>`,
      )}
    </dl>
    <p class="muted">
      US dollars per million tokens. Calls have the price of their own start, size and service tier;
      the bill of a call in its trace has every line.
      ${price.not_contained.length > 0 && ` Not contained: ${price.not_contained.join(', ')}.`}
    </p>`;
}

/** @param {ResolvedPrice} price */
function describe({
  pricing_level,
  provider_id,
  rule,
  alias_of,
  effective_date,
  prompt_tokens_above,
}) {
  const owner =
    pricing_level === 'project'
      ? 'A price of this project'
      : `The price book's price of ${provider_id}`;
  const name = alias_of === null || alias_of === '' ? `${rule} name` : `${rule}, as ${alias_of}`;
  const size =
    prompt_tokens_above > 0 ? `, for prompts above ${toCount(prompt_tokens_above)} tokens` : '';
  return `${owner}${toSince(effective_date)}${size} (${name}).`;
}

/** @param {ResolvedPrice} price */
function toClasses(price) {
  return [
    { name: 'Input', cost: price.prompt_token_cost },
    { name: 'Cache read', cost: price.cache_read_input_token_cost },
    { name: 'Cache write', cost: price.cache_creation_input_token_cost },
    { name: 'Cache write, 1 h', cost: price.cache_creation_1h_input_token_cost },
    { name: 'Audio input', cost: price.audio_input_token_cost },
    { name: 'Output', cost: price.completion_token_cost },
    { name: 'Audio output', cost: price.audio_output_token_cost },
  ];
}
