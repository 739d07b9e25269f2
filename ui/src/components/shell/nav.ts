import { ChartSpline, LayoutDashboard, List, type LucideIcon, Plus, Settings } from "lucide-react";

export interface Place {
  to: "/" | "/runs" | "/compare" | "/settings" | "/runs/new";
  label: string;
  icon: LucideIcon;
  keys: string;
}

export const OVERVIEW: Place = { to: "/", label: "Overview", icon: LayoutDashboard, keys: "g o" };
export const RUNS: Place = { to: "/runs", label: "Runs", icon: List, keys: "g r" };
export const COMPARE: Place = { to: "/compare", label: "Compare", icon: ChartSpline, keys: "g c" };
export const SETTINGS: Place = { to: "/settings", label: "Settings", icon: Settings, keys: "g s" };
export const NEW_RUN: Place = { to: "/runs/new", label: "New run", icon: Plus, keys: "n" };

export const PLACES: readonly Place[] = [OVERVIEW, RUNS, COMPARE, SETTINGS];
