/** Puts a text where it can be pasted, and says whether that went well. */
export async function copied(text: string): Promise<boolean> {
  try {
    // Over a plain connection to another machine the browser has no clipboard to offer.
    if (navigator.clipboard === undefined) return copiedByHand(text);
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text);
  }
}

/** As a reader would: select it, and press copy. */
function copiedByHand(text: string): boolean {
  const opener = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  // A dialog that is open takes the focus from what lies outside it.
  (opener?.closest("dialog") ?? document.body).append(field);
  field.focus();
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    if (opener instanceof HTMLElement) opener.focus();
  }
}
