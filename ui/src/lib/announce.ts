/** Words for screen readers, through the two live regions of index.html. */

/** Said when there is time for it. */
export const announce = (text: string): void => put("announcer", text);

/** Said at once: a lost connection, a refusal, a failed run. */
export const alarm = (text: string): void => put("alarm", text);

function put(id: string, text: string): void {
  const region = document.getElementById(id);
  if (region && region.textContent !== text) region.textContent = text;
}
