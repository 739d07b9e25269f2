import { OctagonX } from "lucide-react";
import { Component, type ReactNode } from "react";
import { ApiError } from "@/api/client";
import { Button } from "@/components/base/Button";

/** What went wrong in one panel, in words, with a way on. */
export function ErrorPanel({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const known = error instanceof ApiError;
  return (
    <div
      role="alert"
      className="flex flex-wrap items-start gap-3 rounded-lg border border-line bg-failed-soft p-4 text-failed-text"
    >
      <OctagonX aria-hidden size={18} className="mt-0.5 shrink-0" />
      <div className="min-w-0 grow basis-60">
        <p className="font-medium">{error instanceof Error ? error.message : "Something went wrong here."}</p>
        {known && error.hint && <p className="text-sm">{error.hint}</p>}
        {known && error.requestId && <p className="text-xs opacity-80">Request {error.requestId}</p>}
      </div>
      {onRetry && (
        <Button size="sm" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Keeps an error inside the panel that failed; the others go on. */
export class PanelBoundary extends Component<
  { children: ReactNode; onReset?: () => void },
  { error: unknown }
> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    const retry = () => {
      this.props.onReset?.();
      this.setState({ error: null });
    };
    return <ErrorPanel error={this.state.error} onRetry={retry} />;
  }
}
