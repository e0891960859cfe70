// Who is signed in, and for which purpose they look.
import { ask, wire, whenPurposeOver, whenSignedOut } from "../client/http";
import type { Purpose, Session } from "../client/types";
import { enterByPasskey } from "./passkeys";

const state = $state<{ session: Session | null; known: boolean; choosing: boolean; over: boolean }>({
  session: null,
  known: false,
  choosing: false,
  over: false,
});
const ASK_MS = 10_000;
let ending: ReturnType<typeof setTimeout> | undefined;

function take(session: Session | null): void {
  state.session = session;
  state.known = true;
  wire.csrf = session?.csrf ?? "";
  wire.purpose = session?.purpose?.id ?? "";
  clearTimeout(ending);
  if (!session?.purpose) return;
  const { id, expires_at } = session.purpose;
  state.over = false;
  ending = setTimeout(() => endPurpose(id), Math.max(0, Date.parse(expires_at) - Date.now()));
}

/** The purpose `id` is over: nothing more is shown for it, and the bar says so. An earlier one changes nothing. */
function endPurpose(id: string): void {
  if (!state.session?.purpose || state.session.purpose.id !== id) return;
  take({ ...state.session, purpose: null });
  state.over = true;
}

/** A reference may be closed by somebody else at any time. */
async function askPurpose(): Promise<void> {
  const id = wire.purpose;
  if (!id || document.hidden) return;
  const running = (await ask<{ items: Purpose[] }>("/api/purposes")).items;
  if (!running.some((one) => one.id === id)) endPurpose(id);
}

whenSignedOut(() => take(null));
whenPurposeOver(endPurpose);
if (typeof window !== "undefined") {
  const now = () => void askPurpose().catch(() => undefined);
  setInterval(now, ASK_MS);
  document.addEventListener("visibilitychange", now);
}

export function session(): Session | null {
  return state.session;
}

export function known(): boolean {
  return state.known;
}

export function may(action: string): boolean {
  return state.session?.permissions.includes(action) ?? false;
}

export function purpose(): Purpose | null {
  return state.session?.purpose ?? null;
}

/** Whether a purpose ended and no other was chosen since. */
export function purposeEnded(): boolean {
  return state.over;
}

export function choosing(): boolean {
  return state.choosing;
}

export function choose(open: boolean): void {
  state.choosing = open;
}

export async function resume(): Promise<void> {
  try {
    take(await ask<Session>("/api/session"));
  } catch {
    take(null);
  }
}

export async function signIn(login: string, password: string, code: string | null): Promise<void> {
  take(await ask<Session>("/api/session", { method: "POST", body: { login, password, code } }));
}

export async function signInByPasskey(): Promise<void> {
  take(await enterByPasskey());
}

export async function signInFirst(token: string, login: string, name: string, password: string): Promise<void> {
  take(await ask<Session>("/api/session/first", { method: "POST", body: { token, login, name, password } }));
}

export async function signOut(): Promise<void> {
  await ask("/api/session", { method: "DELETE" });
  take(null);
}

export async function choosePurpose(reference_id: string, reason: string): Promise<void> {
  const chosen = await ask<Purpose>("/api/purposes", { method: "POST", body: { reference_id, reason } });
  if (state.session) take({ ...state.session, purpose: chosen });
}
