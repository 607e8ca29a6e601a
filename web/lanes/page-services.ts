/** The other side of the page, beside the messages of its lanes. */
export interface PageServices {
  /** Leads to lanes in a worker of the page; `undefined`: they are on the server. */
  readonly port: MessagePort | undefined;
  /**
   * Runs a scenario in the laboratory. Resolves with the URL of the report; rejects with the reason in words.
   * @param progressed called with the part that is done, 0 to 1, where it is known.
   */
  runScenario(scenario: string, end: AbortSignal, progressed: (share: number) => void): Promise<string>;
  /** Shows a video of the user's own without sending it; rejects with the reason in words. Absent: it is uploaded. */
  play?(video: File): Promise<void>;
}
