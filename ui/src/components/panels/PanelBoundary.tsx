import { Component, type ErrorInfo, type ReactNode } from "react";
import { PanelFrame } from "@/components/panels/PanelFrame";
import { copied } from "@/lib/clipboard";

interface PanelBoundaryProps {
  title: string;
  children: ReactNode;
}

/** An error inside one panel stays there; the others and the run go on. */
export class PanelBoundary extends Component<PanelBoundaryProps, { error: Error | null; report: string }> {
  override state = { error: null as Error | null, report: "" };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidCatch(error: Error, info: ErrorInfo) {
    this.setState({ report: `${error.stack ?? error.message}\n${info.componentStack ?? ""}` });
  }

  override render() {
    const { error, report } = this.state;
    if (error === null) return this.props.children;
    return (
      <PanelFrame title={this.props.title}>
        <div role="alert" className="rounded-md bg-failed-soft p-3 text-failed-text text-sm">
          <p className="font-medium">This panel failed to draw. The run is not affected.</p>
          <p className="mt-1 break-words font-mono text-xs">{error.message}</p>
          <div className="mt-3 flex gap-4 font-medium">
            <button
              type="button"
              className="underline"
              onClick={() => this.setState({ error: null, report: "" })}
            >
              Reload panel
            </button>
            <button type="button" className="underline" onClick={() => void copied(report)}>
              Copy report
            </button>
          </div>
        </div>
      </PanelFrame>
    );
  }
}
