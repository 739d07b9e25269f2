import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { served, show } from "@/components/run/stage";
import { ToldElsewhere } from "@/pages/settings/ToldElsewhere";

const channels = [
  { name: "e-mail", address: "ann@lab.example, ben@lab.example" },
  { name: "webhook", address: "chat.lab.example" },
];
const told = { channels, statuses: ["completed", "failed"], seconds: 600 };

afterEach(() => vi.unstubAllGlobals());

// rows: S1.92
test("the settings say who is told of which ends, and a button tries it out", async () => {
  const results = [
    { name: "e-mail", ok: false, error: "The password was rejected.", hint: "Set it anew." },
    { name: "webhook", ok: true, error: null, hint: null },
  ];
  served({ "/notifications/test": { results }, "/notifications": told });
  show(<ToldElsewhere />);

  expect(await screen.findByText("to ann@lab.example, ben@lab.example")).toBeVisible();
  expect(screen.getByText(/When a run completes or fails after 10m 00s or more/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Send a test" }));

  expect(await screen.findByText("The password was rejected. Set it anew.")).toBeVisible();
  expect(screen.getByText("The test was taken.")).toBeVisible();
});

test("where nothing is set the page says what to set", async () => {
  served({ "/notifications": { ...told, channels: [] } });
  show(<ToldElsewhere />);

  expect(await screen.findByText("PILOTHOUSE_SMTP")).toBeVisible();
  expect(screen.queryByRole("button")).toBeNull();
});
