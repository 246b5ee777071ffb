/** What is there no more of a list: the script takes it away. */
export function Gone({ id }: { id: string }) {
  return <li id={id} data-gone="" />;
}
