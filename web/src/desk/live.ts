// The line to the desk: all open alerts at first, then each that is new or changed; it comes back by itself.

export interface Alternative { plate: string; probability: number }
export interface Alert {
  id: string; state: string; why: string | null; wanted: string; plate: string; read_plate: string; how: string; likelihood: number; confidence: number;
  alternatives: Alternative[]; country: string | null; direction: string; list_name: string; priority: string; reason: string; legal_basis: string; instructions: string;
  camera_id: string; camera_number: string | null; camera_uk: string | null; camera_en: string | null; has_overview: boolean; has_patch: boolean;
  taken_at: string; received_at: string; raised_at: string; hits: number; last_hit_at: string; holder: string | null; holder_name: string | null;
  judged_by_name: string | null; judged_at: string | null; version: number;
}
export const OPEN = ["new", "acknowledged"];

/** The alerts after news: each once, by its latest version; open ones first, urgent before others, the newest first. */
export function merged(known: Alert[], news: Alert[]): Alert[] {
  const by = new Map(known.map((one) => [one.id, one]));
  for (const one of news) if (one.version >= (by.get(one.id)?.version ?? 0)) by.set(one.id, one);
  const rank = (one: Alert) => (OPEN.includes(one.state) ? 0 : 4) + (one.priority === "high" ? 0 : 1) + (one.state === "new" ? 0 : 2);
  return [...by.values()].sort((a, b) => rank(a) - rank(b) || Date.parse(b.raised_at) - Date.parse(a.raised_at));
}

export class DeskLine {
  #socket: WebSocket | null = null;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;

  constructor(private readonly purpose: string, private readonly hear: (alerts: Alert[], first: boolean) => void, private readonly state: (open: boolean, problem: string) => void) {
    this.#open();
  }

  #open(): void {
    const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/desk/live?purpose=${this.purpose}`;
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onmessage = (event: MessageEvent<string>) => {
      const told = JSON.parse(event.data) as { kind: string; alerts?: Alert[]; code?: string };
      if (told.kind === "error") this.state(false, told.code ?? "internal");
      else {
        this.#tries = 0;
        this.state(true, "");
        this.hear(told.alerts ?? [], told.kind === "all");
      }
    };
    socket.onclose = () => {
      if (this.#closed) return;
      this.state(false, "");
      this.#timer = setTimeout(() => this.#open(), Math.min(10_000, 500 * 2 ** this.#tries++));
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }
}

/** Two short tones; a low one more where it is urgent. Nothing where the browser lets no page sound yet. */
export function sound(urgent: boolean): void {
  try {
    const audio = new AudioContext();
    const tones = urgent ? [880, 660, 880, 440] : [880, 660];
    tones.forEach((hz, n) => {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      tone.frequency.value = hz;
      gain.gain.setValueAtTime(0.12, audio.currentTime + n * 0.18);
      gain.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + n * 0.18 + 0.16);
      tone.connect(gain).connect(audio.destination);
      tone.start(audio.currentTime + n * 0.18);
      tone.stop(audio.currentTime + n * 0.18 + 0.17);
    });
    setTimeout(() => void audio.close(), 1500);
  } catch {
    return;
  }
}
