import { serviceUrl } from '../data/api.js';
import { CurlButton, toCurl } from '../parts/curl-button.js';
import { Icon } from '../parts/icon.js';
import { html, useMemo } from '../preact.js';

/** @import { ApiRequest } from '../data/api.js' */

/**
 * The command that sends a call of this minute, and other ways.
 * @param {{ project: string, refresh: () => void }} props
 */
export function FirstCall({ project, refresh }) {
  const request = useMemo(() => toFirstCall(project, new Date()), [project]);
  return html`<div class="code">
      <div class="code-head">
        <span>
          <code>$KEY</code> is an API key with the scope <code>write</code>. Without API_KEYS the
          service has made one: <code>KEY=$(cat data/api-key)</code>
        </span>
        <${CurlButton} request=${request} />
      </div>
      <pre tabindex="0">${toCurl(request)}</pre>
    </div>
    <p>
      <button type="button" class="button primary" onClick=${refresh}>
        <${Icon} name="refresh" />Sent: look again
      </button>
    </p>
    <p class="muted">
      Or send what an application does: the Weave SDK with${' '}
      <code>WF_TRACE_SERVER_URL=${serviceUrl().href.replace(/\/$/, '')}</code>, or an exporter of
      OpenTelemetry to <code>${serviceUrl('/v1/traces').href}</code>. ${' '}
      <a href="docs">All endpoints</a>
    </p>`;
}

/**
 * @param {string} project
 * @param {Date} now
 * @returns {ApiRequest}
 */
function toFirstCall(project, now) {
  const startedAt = new Date(now.getTime() - 1_000).toISOString();
  const usage = { requests: 1, prompt_tokens: 1_000, completion_tokens: 100 };
  const call = {
    ...{ project_id: project, id: `call-${now.getTime()}`, trace_id: `trace-${now.getTime()}` },
    ...{ op_name: 'chat', started_at: startedAt, ended_at: now.toISOString() },
    ...{ attributes: {}, inputs: {}, summary: { usage: { 'gpt-4o': usage } } },
  };
  return { method: 'POST', path: `/v2/${project}/calls/complete`, body: { batch: [call] } };
}
