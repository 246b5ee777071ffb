/**
 * A button that creates a room, and goes there; without an id under one of the service's own. `plain`: it is not what
 * most readers of the page are to do.
 */
export function CreateRoom({ id = "", locked, label, plain }: {
  id?: string;
  locked: boolean;
  label: string;
  plain?: boolean;
}) {
  return (
    <button
      type="button"
      class={plain ? undefined : "primary"}
      data-create={id}
      data-locked={locked ? "" : undefined}
    >
      {label}
    </button>
  );
}
