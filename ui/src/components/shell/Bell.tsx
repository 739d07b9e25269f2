import { Link } from "@tanstack/react-router";
import { Bell as BellIcon, CheckCircle2, Info, OctagonX } from "lucide-react";
import { Popover } from "radix-ui";
import { Button } from "@/components/base/Button";
import { RelativeTime } from "@/components/base/Time";
import { cn } from "@/lib/cn";
import { clearNotices, type Kept, type Level, markRead, useNotices } from "@/live/notices";

const ICONS = { info: Info, success: CheckCircle2, error: OctagonX } satisfies Record<Level, unknown>;
const COLOURS = { info: "text-running", success: "text-pass", error: "text-fail" } satisfies Record<
  Level,
  string
>;

/** The last hundred notices, kept until read. */
export function Bell() {
  const notices = useNotices();
  const unread = notices.filter((notice) => !notice.read).length;
  return (
    <Popover.Root onOpenChange={(open) => !open && markRead()}>
      <Popover.Trigger asChild>
        <Button
          look="ghost"
          aria-label={unread ? `Notices, ${unread} new` : "Notices"}
          className="relative"
          icon={<BellIcon aria-hidden />}
        >
          {unread > 0 && (
            <span aria-hidden className="-ml-1 text-xs">
              {unread}
            </span>
          )}
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={8}
          className="z-40 flex max-h-[min(32rem,70dvh)] w-[min(24rem,calc(100vw-1rem))] flex-col overflow-hidden rounded-lg border border-line-strong bg-card shadow-pop"
        >
          <header className="flex items-center justify-between border-line border-b py-1.5 pr-2 pl-4">
            <h2 className="font-semibold text-sm">Notices</h2>
            {notices.length > 0 && (
              <Button size="sm" look="ghost" onClick={clearNotices}>
                Clear
              </Button>
            )}
          </header>
          {notices.length === 0 ? (
            <p className="px-4 py-8 text-center text-sm text-text-3">
              Nothing to tell. Runs that end while you look elsewhere are told here.
            </p>
          ) : (
            <ul className="divide-y divide-line overflow-y-auto">
              {notices.map((notice) => (
                <NoticeRow key={notice.key} notice={notice} />
              ))}
            </ul>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function NoticeRow({ notice }: { notice: Kept }) {
  const Icon = ICONS[notice.level];
  return (
    <li className={cn("flex gap-3 px-4 py-3 text-sm", !notice.read && "bg-surface")}>
      <Icon aria-hidden size={16} className={cn("mt-0.5 shrink-0", COLOURS[notice.level])} />
      <div className="min-w-0 grow">
        <p className="break-words font-medium normal-nums">
          {notice.text} {notice.times > 1 && <span className="text-text-3">× {notice.times}</span>}
        </p>
        {notice.detail && <p className="break-words text-text-2 text-xs">{notice.detail}</p>}
        <p className="mt-0.5 flex gap-3 text-text-3 text-xs">
          <RelativeTime time={new Date(notice.time).toISOString()} />
          {notice.action?.to && (
            <Popover.Close asChild>
              <Link to={notice.action.to} className="text-primary underline-offset-2 hover:underline">
                {notice.action.label}
              </Link>
            </Popover.Close>
          )}
        </p>
      </div>
    </li>
  );
}
