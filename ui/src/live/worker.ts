/** The SharedWorker: twelve tabs, one stream. */

import type { ToWorker } from "@/live/messages";
import { Switchboard, type Tab } from "@/live/switchboard";

const board = new Switchboard();

addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0];
  if (!port) return;
  const tab: Tab = { send: (message) => port.postMessage(message) };
  board.join(tab);
  port.onmessage = (message: MessageEvent<ToWorker>) => {
    if (message.data.do === "leave") port.close();
    board.hear(tab, message.data);
  };
  port.addEventListener("close", () => board.hear(tab, { do: "leave" }));
});
