import { useQuery } from '../data/use-query.js';
import { Skeleton } from '../parts/box.js';
import { CurlButton } from '../parts/curl-button.js';
import { ErrorNotice } from '../parts/error-notice.js';
import { toCost, toCount, toShortName, toSince } from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { html } from '../preact.js';

/** @import { BillLine, UsageExplainRes } from '../../src/openapi-types.ts' */
/** @import { ApiRequest } from '../data/api.js' */
/** @import { TreeNode } from './tree-model.js' */

/**
 * Why a call costs what it costs: each class of tokens with its price.
 * @param {{ project: string, node: TreeNode, close: () => void }} props
 */
export function Bill({ project, node, close }) {
  /** @type {ApiRequest} */
  const request = {
    method: 'POST',
    path: '/usage/explain',
    body: { project_id: project, call_ids: [node.id], include_costs: true },
  };
  const query = /** @type {typeof useQuery<UsageExplainRes>} */ (useQuery)(request);
  const models = Object.entries(query.data?.call_usage[node.id] ?? {});
  const lines = models.flatMap(([model, bill]) => bill.lines.map((line) => ({ model, line })));
  const name = node.call?.display_name ?? node.call?.op_name ?? '';
  return html`<div class="bill">
    <div class="explanation-head">
      <h3>Bill of <bdi>${toShortName(name)}</bdi></h3>
      <code class="id">${node.id.slice(0, 80)}</code>
      <div class="spacer"></div>
      <${CurlButton} request=${request} />
      <button type="button" class="button quiet" onClick=${close}>
        <${Icon} name="close" />Close
      </button>
    </div>
    <${ErrorNotice} query=${query} />
    ${query.data === undefined && query.error === undefined && html`<${Skeleton} lines=${3} />`}
    ${query.data !== undefined && lines.length === 0 && html`<p class="muted">Nothing was spent by this call and its descendants.</p>`}
    ${lines.length > 0 && html`<${Lines} lines=${lines} />`}
    ${
      node.call?.counts_less &&
      html`<p class="muted">
        The bill is that of the call alone. In this trace some of it is counted elsewhere.
      </p>`
    }
  </div>`;
}

/** @param {{ lines: { model: string, line: BillLine }[] }} props */
function Lines({ lines }) {
  return html`<div class="bill-frame" tabindex="0" role="region" aria-label="Lines of the bill">
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col">Tokens of</th>
          <th scope="col" class="number">Tokens</th>
          <th scope="col" class="number">Per million</th>
          <th scope="col" class="number">Amount</th>
          <th scope="col">Price</th>
        </tr>
      </thead>
      <tbody>
        ${lines.map(
          ({ model, line }, index) =>
            html`<tr key=${index}>
              <th scope="row"><bdi class="name">${toShortName(model)}</bdi></th>
              <td>${line.class.replaceAll('_', ' ')}</td>
              <td class="number">${toCount(line.tokens)}</td>
              <td class="number">
                ${line.price_per_million === null ? html`<span class="unpriced">unpriced</span>` : toExactPrice(line.price_per_million)}
              </td>
              <td class="number strong">
                ${line.amount === null ? '–' : html`<span title=${`$${line.amount}`}>${toCost(Number(line.amount))}</span>`}
              </td>
              <td class="muted">${describePrice(line)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/**
 * `$2.00`, `$0.0375`: all digits of an exact amount, and two at least.
 * @param {string} usd
 */
function toExactPrice(usd) {
  const [whole, decimals = ''] = usd.split('.');
  return `$${whole}.${decimals.padEnd(2, '0')}`;
}

/** @param {BillLine} line */
function describePrice({ price }) {
  if (price === null) return '';
  const owner = price.pricing_level === 'project' ? 'this project' : 'price book';
  return `${owner}, ${toShortName(price.llm_id)} (${price.rule})${toSince(price.effective_date)}`;
}
