// What the server says of cases, in the shapes the pages use.

export interface CaseRow {
  id: string;
  reference_id: string;
  number: string;
  title: string;
  legal_basis: string;
  data_subjects: string[];
  unit: string | null;
  opened_at: string;
  closed_at: string | null;
  standing: string;
  until_at: string | null;
  exhibits: number;
  offered: number;
}

export interface Exhibit {
  id: string;
  number: number;
  kind: string;
  title: string;
  source: string;
  obtained: string;
  booked_at: string;
  booked_by_name: string;
  custodian: string;
  custodian_id: string;
  custodian_unit: string | null;
  channel_id: string | null;
  start_at: string | null;
  end_at: string | null;
  facts: Record<string, unknown>;
  derived_from: string | null;
  name: string | null;
  media_type: string | null;
  size_bytes: number | null;
  sha256: string | null;
  scan: string | null;
  playable: boolean;
  playable_type: string | null;
  playable_how: string | null;
  held: boolean;
  events: number;
}

export interface Member {
  id: string;
  account_id: string;
  name: string;
  unit: string | null;
  standing: string;
  reason: string;
  at: string;
  by_name: string;
  until_at: string | null;
  history_start: string | null;
  history_end: string | null;
  ended_at: string | null;
}

export interface Note {
  id: string;
  exhibit_id: string | null;
  instant: string | null;
  text: string;
  by_name: string;
  at: string;
  struck_at: string | null;
}

export interface Transfer {
  id: string;
  exhibit_id: string;
  exhibit_number: number;
  exhibit_title: string;
  from_id: string;
  from_name: string;
  to_id: string | null;
  to_name: string | null;
  to_unit: string | null;
  reason: string;
  state: string;
  asked_at: string;
}

export interface Disclosure {
  id: string;
  number: number;
  to_name: string;
  to_service: string;
  reason: string;
  state: string;
  asked_at: string;
  asked_by_name: string;
  decided_by_name: string | null;
  items: number;
}

export interface RedactionRow {
  id: string;
  exhibit_id: string;
  state: string;
  made_at: string;
  made_by_name: string;
  looked_at: number;
  pictures: number;
  result_id: string | null;
}

export interface Channel {
  id: string;
  camera_id: string;
  number: string;
  name_uk: string;
  name_en: string;
  lat: number | null;
  lon: number | null;
}

export interface Case {
  case: { id: string; reference_id: string; number: string; title: string; legal_basis: string; summary: string; data_subjects: string[]; unit: string | null; opened_at: string; closed_at: string | null };
  standing: string;
  history: { start: string; end: string } | null;
  members: Member[];
  exhibits: Exhibit[];
  channels: Channel[];
  notes: Note[];
  transfers: Transfer[];
  disclosures: Disclosure[];
  redactions: RedactionRow[];
}

export interface CustodyLine {
  number: number;
  at: string;
  kind: string;
  actor: string;
  unit: string | null;
  what: Record<string, unknown>;
  leaf_index: number | null;
}

export interface ExhibitDetail {
  id: string;
  custody: CustodyLine[];
  broken_at: number | null;
  intact: "same" | "changed" | "away";
}

export interface Cover {
  id: string;
  kind: string;
  first: number;
  last: number;
  keys: [number, number, number, number, number][];
  off: boolean;
}

export interface Redaction {
  redaction: {
    id: string; exhibit_id: string; exhibit_number: number; exhibit_title: string; case_id: string; state: string; style: string; mute: boolean; silences: [number, number][];
    width: number; height: number; pictures: number; rate_mhz: number; has_sound: boolean; looked_at: number; says: string; result_id: string | null;
    asked_by_name: string | null; reviewed_by_name: string | null;
  };
  covers: Cover[];
  yours_to_review: boolean;
}
