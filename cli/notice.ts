/** Says on stderr if the agent of an answer is not registered. */
export function tellNotice(
  { notice }: { notice?: "agent_not_registered" },
  unseen = "others do not find it among the agents",
): void {
  if (notice) console.error(`convene: This agent is not registered (convene join): ${unseen}.`);
}
