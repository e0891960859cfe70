// Who is signed in, and for which purpose they look.
import { ask, wire, whenSignedOut } from "../client/http";
import type { Purpose, Session } from "../client/types";
import { enterByPasskey } from "./passkeys";

const state = $state<{ session: Session | null; known: boolean; choosing: boolean }>({
  session: null,
  known: false,
  choosing: false,
});

function take(session: Session | null): void {
  state.session = session;
  state.known = true;
  wire.csrf = session?.csrf ?? "";
  wire.purpose = session?.purpose?.id ?? "";
}

whenSignedOut(() => take(null));

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
