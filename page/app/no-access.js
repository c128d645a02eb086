import { ErrorNotice } from '../parts/error-notice.js';
import { html } from '../preact.js';
import { ProjectList } from './project-picker.js';

/** @import { Navigate } from '../data/address.js' */
/** @import { Query } from '../data/use-query.js' */

/**
 * The key may not read the project, or there is none.
 * @param {{ query: Query<unknown>, navigate: Navigate }} props
 */
export function NoAccess({ query, navigate }) {
  return html`<${ErrorNotice} query=${query} /> ${
      query.error?.status === 403 &&
      html`<section class="welcome">
        <h2>Projects that this key may read</h2>
        <${ProjectList}
          project=""
          choose=${(/** @type {string} */ project) => navigate({ project })}
        />
      </section>`
    }`;
}
