/**
 * Cut a stream of server-sent events into the data of its events.
 *
 * `EventSource` hides comments, and the heartbeat is one: only a reader of our
 * own can tell a quiet stream from a dead one.
 */
export class SseParser {
  private rest = "";
  private data: string[] = [];

  /** Take a piece of text; returns the data of the events that it completes. */
  push(text: string): string[] {
    const lines = (this.rest + text).split(/\r?\n/);
    this.rest = lines.pop() ?? "";
    const events: string[] = [];
    for (const line of lines) {
      if (line === "" && this.data.length > 0) {
        events.push(this.data.join("\n"));
        this.data = [];
      } else if (line.startsWith("data:")) {
        this.data.push(line.slice(line[5] === " " ? 6 : 5));
      }
    }
    return events;
  }
}
