import { CopyText } from "./copy.tsx";

/** The line to paste into an agent. Without an address, where the page's script puts it. */
export function JoinLine({ url, label }: { url?: string; label: string }) {
  return (
    <CopyText label={label}>
      Join the Convene room: read <span data-url>{url}</span> and do what it says.
    </CopyText>
  );
}
