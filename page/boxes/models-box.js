import { Box, Skeleton } from '../parts/box.js';
import { toCost, toCount, toShare, toShortCount, toShortName, toTitle } from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { ShareBar } from '../parts/share-bar.js';
import { html, useState } from '../preact.js';
import { PriceExplanation } from './price-explanation.js';

/** @import { View } from '../data/address.js' */
/** @import { ApiRequest } from '../data/api.js' */
/** @import { TimeWindow } from '../data/time-window.js' */
/** @import { Query } from '../data/use-query.js' */
/** @import { UsageGroup, UsageStats } from '../data/usage-stats.js' */

const shownAtFirst = 12;

/**
 * What each model spent; a click explains its price.
 * @param {object} props
 * @param {View} props.view
 * @param {TimeWindow} props.window
 * @param {ApiRequest} props.request
 * @param {Query<unknown>} props.query
 * @param {UsageStats | undefined} props.stats
 */
export function ModelsBox({ view, window, request, query, stats }) {
  const [isFull, setFull] = useState(false);
  const groups = stats?.groups ?? [];
  const shown = isFull ? groups : groups.slice(0, shownAtFirst);
  return html`<${Box} id="models" title="Models" request=${request} query=${query}>
    ${
      stats === undefined
        ? html`<${Skeleton} lines=${4} />`
        : html`<div class="table-frame" tabindex="0" role="region" aria-label="Table of models">
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">Model</th>
                  <th scope="col" class="number wide-only">Requests</th>
                  <th scope="col" class="number narrow-only">Tokens</th>
                  <th scope="col" class="number wide-only">Input</th>
                  <th scope="col" class="number widest-only">Cached</th>
                  <th scope="col" class="number wide-only">Output</th>
                  <th scope="col" class="number">Cost</th>
                  <th scope="col" class="bar-column wide-only">Share</th>
                </tr>
              </thead>
              <tbody>
                ${shown.map(
                  (group) =>
                    html`<${ModelRow}
                      key=${group.name}
                      ...${{ project: view.project, window, group, stats }}
                    />`,
                )}
              </tbody>
            </table>
          </div>`
    }
    ${
      shown.length < groups.length &&
      html`<button type="button" class="button" onClick=${() => setFull(true)}>
        Show all ${toCount(groups.length)} models
      </button>`
    }
  <//>`;
}

/**
 * @param {{ project: string, window: TimeWindow, group: UsageGroup, stats: UsageStats }} props
 */
function ModelRow({ project, window, group: { name, sum }, stats }) {
  const [isOpen, setOpen] = useState(false);
  const isPartly = sum.costUsd !== null && stats.unpriced.some(({ model }) => model === name);
  const share = stats.total.costUsd ? (sum.costUsd ?? 0) / stats.total.costUsd : 0;
  return html`<tr class=${isOpen ? 'open' : ''}>
      <th scope="row">
        <button
          type="button"
          class="row-button"
          aria-expanded=${isOpen}
          onClick=${() => setOpen(!isOpen)}
        >
          <${Icon} name="right" />
          <bdi class="name" title=${toTitle(name)}>${toShortName(name)}</bdi>
          <span class="hidden">, explain its price</span>
        </button>
      </th>
      <td class="number wide-only">${toCount(sum.requests)}</td>
      <td class="number narrow-only">${toShortCount(sum.tokens)}</td>
      <td class="number wide-only">${toCount(sum.inputTokens)}</td>
      <td class="number muted widest-only">
        ${sum.cachedTokens === 0 ? '–' : toShare(sum.cachedTokens / sum.inputTokens)}
      </td>
      <td class="number wide-only">${toCount(sum.outputTokens)}</td>
      <td class=${`number ${sum.costUsd === null ? 'unpriced' : 'strong'}`}>
        ${isPartly && '≥ '}${toCost(sum.costUsd)}
      </td>
      <td class="bar-column wide-only"><${ShareBar} share=${share} /></td>
    </tr>
    ${
      isOpen &&
      html`<tr class="detail-row">
        <td colspan="8"><${PriceExplanation} ...${{ project, model: name, at: window.end }} /></td>
      </tr>`
    }`;
}
