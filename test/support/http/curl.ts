/** The HTTP request of a curl command in the form in which the docs and the demo print it. */
export interface CurlRequest {
  readonly url: string;
  /** `name:password`, as written. */
  readonly user: string;
  readonly body: string;
}

/** Parses `curl -su USER URL -H '…' -d 'BODY'`, so that tests do not depend on an installed curl. */
export function parseCurl(command: string): CurlRequest {
  const [, quotedUser = '', url = ''] = /^curl -su ("[^"]+"|\S+) (\S+) /.exec(command) ?? [];
  const [, body = ''] = /-d '([^']+)'/.exec(command) ?? [];
  if (url === '' || body === '') throw new Error(`This is not a known curl command:\n${command}`);
  return { url, user: quotedUser.replace(/^"|"$/g, ''), body };
}
