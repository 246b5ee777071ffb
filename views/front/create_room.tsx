/** A button that creates a room, and goes there; without an id under one of the service's own. */
export function CreateRoom({ id = "", locked, label }: { id?: string; locked: boolean; label: string }) {
  return (
    <button type="button" class="primary" data-create={id} data-locked={locked ? "" : undefined}>
      {label}
    </button>
  );
}
