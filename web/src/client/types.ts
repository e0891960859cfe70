// What the server says, in the shapes the pages use.

export interface Session {
  actor: { id: string; login: string; name: string; unit: string; roles: string[] };
  permissions: string[];
  purpose: Purpose | null;
  version: string;
  demo: boolean;
  csrf: string;
}

export interface Reference {
  id: string;
  kind: string;
  number: string;
  title: string;
  legal_basis: string;
  opened_at: string;
  closed_at: string | null;
}

export interface Purpose {
  id: string;
  reference: Reference;
  reason: string;
  opened_at: string;
  expires_at: string;
}

export interface Stream {
  id: string;
  role: string;
  codec: string;
  width: number;
  height: number;
  fps: number;
  record: boolean;
}

export interface Channel {
  id: string;
  number: number;
  name: string;
  streams: Stream[];
}

export interface Finding {
  code: string;
  severity: string;
  since: string;
  details: Record<string, string | number>;
}

export interface Camera {
  id: string;
  number: string;
  name_uk: string;
  name_en: string;
  kind: string;
  owner: string;
  life: string;
  life_since: string;
  life_reason: string;
  last_seen_at: string | null;
  says: string | null;
  site: { id: string; name_uk: string; name_en: string } | null;
  region: { code: string; name_uk: string; name_en: string };
  lat: number | null;
  lon: number | null;
  heading_deg: number | null;
  fov_deg: number | null;
  px_m_class: string | null;
  lawful_basis: string;
  retention_class: string;
  maker: string;
  model: string;
  firmware: string;
  serial: string;
  address: string;
  clock_offset_ms: number | null;
  findings: Finding[];
  findings_count: number;
  channels: Channel[];
  steerable?: boolean;
}

export interface Page<T> {
  items: T[];
  next: string | null;
  total: number | null;
}

export interface Gap {
  id: string;
  channel_id?: string;
  start: string;
  end: string | null;
  reason: string;
  detail: string;
}

export interface Timeline {
  recorded: { start: string; end: string; recording_id: string }[];
  gaps: Gap[];
  clocks: { at: string; offset_ms: number; source: string }[];
}

export interface Manifest {
  segments: {
    id: string;
    start: string;
    end: string;
    codec: string;
    width: number;
    height: number;
    init_id: string;
    fragments: [number, number, number, number][];
  }[];
  unreachable: string[];
  gaps: Gap[];
}

export interface Summary {
  total: number;
  by_life: Record<string, number>;
  by_kind: Record<string, number>;
  by_owner: Record<string, number>;
  by_region: {
    code: string;
    name_uk: string;
    name_en: string;
    total: number;
    working: number;
    silent: number;
    destroyed: number;
    restored: number;
  }[];
  findings: Record<string, number>;
}

export interface Job {
  id: string;
  kind: string;
  state: string;
  done: number;
  total: number | null;
  says: string;
  result: unknown;
}
