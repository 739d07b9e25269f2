import { cutOffWords } from "@/live/hooks";

test("controls are off only without a server or a session, and say which", () => {
  expect(cutOffWords("offline")).toBe("The server cannot be reached. The run keeps going.");
  expect(cutOffWords("signed-out")).toBe("Your session ended. The run keeps going; sign in to steer it.");
  expect(cutOffWords("polling")).toBeNull();
  expect(cutOffWords("reconnecting")).toBeNull();
});
