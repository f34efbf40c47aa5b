// What debug mode shows: each event as it goes to the edge with what the contract says of it, and what the edge answers.
// The tracker's core waits for this part, so that it sees the first request too.

import initialize, { Panel } from "shoptrail-debug-glue";
import MODULE from "shoptrail-debug-module";

/** The edge is beside this file. */
const EDGE = new URL("b", import.meta.url).href;

/** What the panel cannot show does not keep an event from going.
 *  @param {() => void} show */
const attempt = (show) => {
  try {
    show();
  } catch (error) {
    console.warn("shoptrail:", error);
  }
};

/** @param {Panel} panel
 *  @param {Promise<Response>} asked */
const showAnswer = async (panel, asked) => {
  let status = 0;
  let said;
  try {
    const reply = (await asked).clone();
    status = reply.status;
    said = await reply.text();
  } catch (error) {
    said = `${error}`;
  }
  attempt(() => panel.answered(status, `${said}`));
};

export default async () => {
  await initialize({ module_or_path: new URL(MODULE, import.meta.url) });
  const panel = new Panel();
  const { fetch } = window;
  window.fetch = (...asked) => {
    const [address, options] = asked;
    const reply = fetch(...asked);
    if (address === EDGE) {
      attempt(() => panel.sent(`${options?.body}`));
      showAnswer(panel, reply);
    }
    return reply;
  };
};
