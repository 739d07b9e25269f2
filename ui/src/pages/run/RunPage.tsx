import { useEffect, useRef, useState } from "react";
import { isTerminal } from "@/api/types";
import { Button } from "@/components/base/Button";
import { ErrorPanel } from "@/components/base/ErrorPanel";
import { ActivityFeed } from "@/components/run/ActivityFeed";
import { CancelDialog, ForceDialog } from "@/components/run/CancelDialog";
import { useElapsed } from "@/components/run/elapsed";
import { FailureCard } from "@/components/run/FailureCard";
import { RetryDialog } from "@/components/run/RetryDialog";
import { RunControls } from "@/components/run/RunControls";
import { SplitPane } from "@/components/run/SplitPane";
import { StuckNotice } from "@/components/run/StuckNotice";
import { DESKTOP, PHONE, useMedia } from "@/components/run/useMedia";
import { useRemaining } from "@/components/run/useRemaining";
import { type RunSteering, useSteering } from "@/components/run/useSteering";
import { remember } from "@/lib/mine";
import { useNow } from "@/lib/now";
import { useTitle } from "@/live/hooks";
import { FreezeBanner } from "@/pages/run/FreezeBanner";
import { JobStack } from "@/pages/run/JobStack";
import { RunHeader } from "@/pages/run/RunHeader";
import { RunTabs } from "@/pages/run/RunTabs";
import { TabContent } from "@/pages/run/TabContent";
import { UnitDrawer } from "@/pages/run/UnitDrawer";
import { useAnnouncements } from "@/pages/run/useAnnouncements";
import { useFileCount } from "@/pages/run/useFileCount";
import { type RunData, useRunData } from "@/pages/run/useRunData";
import { useRunEdits } from "@/pages/run/useRunEdits";
import { useRunKeys } from "@/pages/run/useRunKeys";
import { type RunUrl, TABS, useRunUrl } from "@/pages/run/useRunUrl";
import { useTabSwipes } from "@/pages/run/useTabSwipes";
import { useFrozen } from "@/pages/run/useThrottled";

const STALE_SECONDS = 10;
const FRESH: ReadonlySet<string> = new Set(["live", "polling", "ended"]);

/** One run, live. The page of another run is another page: nothing is carried over. */
export function RunPage() {
  const url = useRunUrl();
  return <OneRun key={url.runId} url={url} />;
}

function OneRun({ url }: { url: RunUrl }) {
  const { data: live, connection } = useRunData(url.runId);
  const [isFrozen, setFrozen] = useState(false);
  const [isFolded, setFolded] = useState(false);
  const [isStackOpen, setStackOpen] = useState(false);
  const data = useFrozen(live, isFrozen);
  const { run, kind } = data;
  const elapsed = useElapsed(run);
  const remaining = useRemaining(run, kind, elapsed);
  const steering = useSteering(live.run, kind, elapsed, connection);
  const edits = useRunEdits(live.run);
  const files = useFileCount(data);
  const isPhone = useMedia(PHONE);
  const isDesktop = useMedia(DESKTOP);
  const tabs = isPhone ? TABS : TABS.filter((tab) => tab !== "activity");
  const isFresh = connection.state === "live" || connection.state === "polling";
  const isStale = useIsStale(live, FRESH.has(connection.state));
  const isOpen = url.table.open !== null && url.tab !== "activity";
  const swiping = useTabSwipes(url, tabs, isPhone);
  const onFreeze = () => setFrozen(!isFrozen);

  useTitle(live.run);
  useAnnouncements(live.run, kind);
  useEffect(() => remember(live.run.id), [live.run.id]);
  useRunKeys({
    url,
    tabs,
    steering,
    onFreeze,
    onFold: () => setFolded(!isFolded),
    onNextError: () => openNextError(data, url),
  });

  const feed = (
    <ActivityFeed
      events={data.feed}
      isErrorsOnly={url.search.feed === "errors"}
      onErrorsOnly={(isErrorsOnly) => url.onWords({ feed: isErrorsOnly ? "errors" : undefined })}
      onOpenItem={(key) => url.onTable({ open: key })}
      refusal={
        data.feedLoading.error !== null && (
          <ErrorPanel error={data.feedLoading.error} onRetry={data.feedLoading.reload} />
        )
      }
      className="h-full rounded-lg border border-line bg-card shadow-card"
    />
  );
  const content = (
    <>
      <RunTabs tabs={tabs} url={url} files={files} />
      <div className="pt-4" {...swiping}>
        {url.tab === "activity" ? (
          <div className="h-[calc(100dvh-15rem)] min-h-72">{feed}</div>
        ) : (
          <TabContent data={data} url={url} isFrozen={isFrozen} isPhone={isPhone} onParams={edits.params} />
        )}
      </div>
    </>
  );
  return (
    <div className="mx-auto max-w-[110rem] max-md:pb-20">
      <RunHeader
        run={run}
        kind={kind}
        elapsed={elapsed}
        remaining={remaining}
        steering={steering}
        isFresh={isFresh}
        isStale={isStale}
        isFrozen={isFrozen}
        onFreeze={onFreeze}
        onRename={edits.rename}
        onDelete={edits.remove}
      />
      {isFrozen && (
        <FreezeBanner
          since={run.last_event_at ?? run.created_at}
          waiting={live.run.head - run.head}
          onRelease={onFreeze}
        />
      )}
      <StuckNotice
        run={live.run}
        kind={kind}
        onStack={() => setStackOpen(true)}
        controls={<StuckControls steering={steering} />}
      />
      {isStackOpen && <JobStack runId={run.id} onClose={() => setStackOpen(false)} />}
      {run.failure && (
        <div className="mb-4">
          <FailureCard
            run={run}
            kind={kind}
            onLogs={() => url.onTab("logs")}
            retry={
              <RunControls
                offers={steering.offers}
                onAct={steering.act}
                onPause={steering.pause}
                run={run}
                kind={kind}
              />
            }
          />
        </div>
      )}
      {isDesktop ? (
        <SplitPane
          isFolded={isFolded}
          left={<BesidePanels>{feed}</BesidePanels>}
          right={content}
          over={
            isOpen && (
              <BesidePanels>
                <UnitDrawer data={data} url={url} isBeside />
              </BesidePanels>
            )
          }
        />
      ) : (
        <>
          {!isPhone && !isFolded && <div className="mb-4 h-56">{feed}</div>}
          {content}
          <UnitDrawer data={data} url={url} isBeside={false} />
        </>
      )}
      <CancelDialog
        run={live.run}
        kind={kind}
        elapsed={elapsed}
        open={steering.question === "cancel" && !isTerminal(live.run.status)}
        onCancel={steering.cancel}
        onClose={steering.close}
      />
      <ForceDialog
        kind={kind}
        open={steering.question === "force" && !isTerminal(live.run.status)}
        onForce={steering.force}
        onClose={steering.close}
      />
      {steering.question === "retry" && <RetryDialog run={live.run} kind={kind} onClose={steering.close} />}
    </div>
  );
}

/** Pause and Cancel again, where the eye is. */
function StuckControls({ steering }: { steering: RunSteering }) {
  return steering.offers
    .filter(({ action }) => action === "pause" || action === "cancel")
    .map(({ action, label, blocked }) => (
      <Button
        key={action}
        size="sm"
        disabled={blocked !== null}
        hint={blocked ?? undefined}
        onClick={() => steering.act(action)}
      >
        {action === "cancel" && blocked === null ? "Cancel…" : label}
      </Button>
    ));
}

/** As high as what is left of the window below the header, and in view wherever the page is scrolled to. */
function BesidePanels({ children }: { children: React.ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(320);
  useEffect(() => {
    const measure = () => {
      const parent = box.current?.parentElement;
      if (parent) setTop(Math.round(parent.getBoundingClientRect().top + window.scrollY));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    measure();
    return () => observer.disconnect();
  }, []);
  return (
    <div
      ref={box}
      className="sticky top-[calc(var(--bar)+4rem)] min-h-80"
      style={{ height: `calc(100dvh - ${top}px - 1.5rem)` }}
    >
      {children}
    </div>
  );
}

/** A running run from which nothing is heard, over a stream that is not fresh. */
function useIsStale({ run }: RunData, isFresh: boolean): boolean {
  const now = useNow();
  if (isFresh || run.status !== "running" || run.last_event_at === null) return false;
  return now - new Date(run.last_event_at).getTime() > STALE_SECONDS * 1000;
}

/** The next older item in error than the open one; from the end it begins again. */
function openNextError({ items }: RunData, url: RunUrl): void {
  const errors = items.finished.filter((item) => item.state === "failed");
  const at = errors.findIndex((item) => item.key === url.table.open);
  const next = errors[at + 1] ?? errors[0];
  if (next) url.onTable({ open: next.key });
}
