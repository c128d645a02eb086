import { CurlButton } from '../parts/curl-button.js';
import { toCount, toShare, toShortName, toTitle } from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { html, useState } from '../preact.js';
import { PriceForm, toPriceRequest } from './price-form.js';

/** @import { TimeWindow } from '../data/time-window.js' */
/** @import { UsageStats } from '../data/usage-stats.js' */

const maxShown = 5;

/**
 * Which models have no price, so that sums are lower bounds, and how to set one.
 * @param {{ project: string, window: TimeWindow, stats: UsageStats | undefined, refresh: () => void }} props
 */
export function UnpricedBanner({ project, window, stats, refresh }) {
  const [model, setModel] = useState('');
  if (stats === undefined || stats.unpriced.length === 0) return null;
  const { unpriced, total } = stats;
  const tokens = unpriced.reduce((sum, { total_tokens }) => sum + total_tokens, 0);
  const names = unpriced.map((each) => each.model);
  const share = total.tokens > 0 ? ` (${toShare(tokens / total.tokens)})` : '';
  const sentence = ` ${toCount(tokens)} tokens${share} are in no cost: costs with ≥ are lower bounds.`;
  const isOpen = unpriced.some((each) => each.model === model);
  const done = () => {
    setModel('');
    refresh();
  };
  return html`<section class="notice warning" aria-label="Models without a price">
    <${Icon} name="alert" />
    <div class="notice-text">
      <strong>No price is known for <${Names} models=${names} />.</strong>${sentence}
      <div class="notice-actions">
        ${unpriced
          .slice(0, maxShown)
          .map(
            (each) =>
              html`<button
                type="button"
                class="button"
                key=${each.model}
                aria-expanded=${each.model === model}
                onClick=${() => setModel(each.model === model ? '' : each.model)}
              >
                Set a
                price${unpriced.length > 1 && html` of <bdi class="name">${toShortName(each.model)}</bdi>`}
              </button>`,
          )}
        <${CurlButton}
          request=${toPriceRequest(project, model || (unpriced[0]?.model ?? ''), examplePrice(window))}
        />
      </div>
      ${isOpen && html`<${PriceForm} key=${model} ...${{ project, model, window, done }} />`}
    </div>
  </section>`;
}

/** @param {TimeWindow} window */
function examplePrice({ start }) {
  return { promptPerMillion: 1, completionPerMillion: 4, effectiveDate: start.toISOString() };
}

/** @param {{ models: string[] }} props */
function Names({ models }) {
  const shown = models.slice(0, maxShown);
  return html`${shown.map(
    (model, index) =>
      html`${index > 0 && ', '}<bdi class="name" title=${toTitle(model)}
          >${toShortName(model)}</bdi
        >`,
  )}${models.length > maxShown && ` and ${toCount(models.length - maxShown)} more`}`;
}
