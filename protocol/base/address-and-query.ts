/**
 * `text` before and after its first `?`: address and query. Later question marks belong to the query (RFC 3986, 3.4).
 * The query is empty where there is none.
 */
export function addressAndQuery(text: string): readonly [address: string, query: string] {
  const mark = text.indexOf('?');
  return mark < 0 ? [text, ''] : [text.slice(0, mark), text.slice(mark + 1)];
}
