/** Stands for an element that is no longer in its list: the script removes it. */
export function Gone({ id }: { id: string }) {
  return <li id={id} data-gone="" />;
}
