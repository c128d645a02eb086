/** The parameters of a URL. One that is repeated is a list. */
export function queryParameters(url: string): Record<string, unknown> {
  const { searchParams } = new URL(url, 'http://localhost');
  const query: Record<string, unknown> = {};
  for (const name of new Set(searchParams.keys())) {
    const values = searchParams.getAll(name);
    query[name] = values.length === 1 ? values[0] : values;
  }
  return query;
}
