import { useRef } from "react";

/**
 * Headers that make one thing of what is sent again because its answer was lost.
 * Another body is another wish, and gets another key.
 */
export function useOnce(): (body: unknown) => { "Idempotency-Key": string } {
  const sent = useRef({ body: "", key: "" });
  return (body) => {
    const told = JSON.stringify(body);
    if (told !== sent.current.body) sent.current = { body: told, key: newKey() };
    return { "Idempotency-Key": sent.current.key };
  };
}

/** Random; `crypto.randomUUID` is missing where the page comes over plain HTTP from another machine. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
