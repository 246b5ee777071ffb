/** Marks who has proved by a token who it is, or for whom an admin has spoken. `what`: says so of whom it stands beside. */
export function Verified({ what }: { what: string }) {
  return (
    <span class="verified" title={what}>
      <span aria-hidden="true">✓</span>
      <span class="visually-hidden">{what}</span>
    </span>
  );
}
