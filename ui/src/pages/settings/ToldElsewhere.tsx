import { useMutation, useQuery } from "@tanstack/react-query";
import { Check, Mail, Send, Webhook, X } from "lucide-react";
import { request } from "@/api/client";
import { Button } from "@/components/base/Button";
import { count, duration } from "@/lib/format";

interface Channel {
  name: string;
  address: string;
}

interface Told {
  channels: Channel[];
  statuses: string[];
  seconds: number;
}

interface Outcome {
  name: string;
  ok: boolean;
  error: string | null;
  hint: string | null;
}

/** Who is told when a long run ends though nobody looks. The server's own settings: here they are seen and tried out. */
export function ToldElsewhere() {
  const { data } = useQuery({
    queryKey: ["notifications"],
    queryFn: ({ signal }) => request<Told>("/notifications", { signal }),
  });
  const trial = useMutation({
    mutationFn: () => request<{ results: Outcome[] }>("/notifications/test", { method: "POST" }),
  });
  if (!data) return null;
  if (data.channels.length === 0)
    return (
      <p className="px-4 py-3 text-sm text-text-2">
        Nobody. For an e-mail or a message in a chat when a long run ends, set <Code>PILOTHOUSE_SMTP</Code> or{" "}
        <Code>PILOTHOUSE_WEBHOOK</Code> where the server starts.
      </p>
    );
  return (
    <>
      {data.channels.map((channel) => (
        <ChannelLine
          key={channel.name}
          channel={channel}
          outcome={trial.data?.results.find(({ name }) => name === channel.name)}
        />
      ))}
      <div className="flex flex-wrap items-center gap-3 px-4 py-3 text-sm">
        <p className="min-w-0 grow basis-60 text-text-2">
          When a run {orWords(data.statuses)}
          {data.seconds > 0 && ` after ${duration(data.seconds)} or more`}.
          {trial.error && (
            <span role="alert" className="mt-1 block text-fail">
              {trial.error.message}
            </span>
          )}
        </p>
        <Button
          size="sm"
          icon={<Send aria-hidden />}
          disabled={trial.isPending}
          onClick={() => trial.mutate()}
        >
          {trial.isPending ? "Sending…" : "Send a test"}
        </Button>
      </div>
    </>
  );
}

function ChannelLine({ channel, outcome }: { channel: Channel; outcome: Outcome | undefined }) {
  const Icon = channel.name === "e-mail" ? Mail : Webhook;
  return (
    <div className="flex gap-3 px-4 py-3 text-sm">
      <Icon aria-hidden size={16} className="mt-0.5 shrink-0 text-text-3" />
      <div className="min-w-0 grow">
        <p className="[overflow-wrap:anywhere]">
          <span className="font-medium">{channel.name === "e-mail" ? "E-mail" : "Webhook"}</span>{" "}
          <span className="text-text-2">{addressWords(channel)}</span>
        </p>
        {outcome && <OutcomeLine outcome={outcome} />}
      </div>
    </div>
  );
}

function OutcomeLine({ outcome: { ok, error, hint } }: { outcome: Outcome }) {
  const Icon = ok ? Check : X;
  return (
    <p
      role="status"
      className={`mt-1 flex items-start gap-1.5 [overflow-wrap:anywhere] ${ok ? "text-completed-text" : "text-fail"}`}
    >
      <Icon aria-hidden size={15} className="mt-0.5 shrink-0" />
      {ok ? "The test was taken." : [error, hint].filter(Boolean).join(" ")}
    </p>
  );
}

const Code = ({ children }: { children: string }) => (
  <code className="font-mono text-xs [overflow-wrap:anywhere]">{children}</code>
);

/** The first addresses, and how many more. */
function addressWords({ address }: Channel): string {
  const [first = "", ...more] = address.split(", ");
  return more.length > 1 ? `to ${first} and ${count(more.length)} more` : `to ${address}`;
}

const ENDS: Record<string, string> = {
  completed: "completes",
  failed: "fails",
  cancelled: "is cancelled",
};

function orWords(statuses: readonly string[]): string {
  const words = statuses.map((status) => ENDS[status] ?? status);
  return new Intl.ListFormat("en", { type: "disjunction" }).format(words);
}
