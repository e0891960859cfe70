// What the server says of plates, in the shapes these pages use.

export interface NamedCamera { id: string; number: string; name_uk: string; name_en: string; lat: number | null; lon: number | null }
export interface Alternative { plate: string; probability: number }
export interface Read {
  id: string; camera_id: string; channel_id: string | null; taken_at: string; plate: string; as_read: string; confidence: number; country: string | null;
  alternatives: Alternative[]; direction: string; heading_deg: number | null; lane: number | null; speed_kmh: number | null; vehicle: string | null;
  lat: number | null; lon: number | null; segment_id: string | null; has_overview: boolean; has_patch: boolean; patch_jpeg: string | null;
}
export interface Candidate { plate: string; probability: number; reads: number; first_seen_at: string | null; last_seen_at: string | null }
export interface Completeness { cameras: number; answered: number; silent: string[]; in_gap: string[]; whole: boolean }
export interface SearchPage {
  asked: string; reads: Read[]; cameras: NamedCamera[]; candidates: Candidate[]; plates_fitting: number; plates_looked_up: number;
  next: string | null; completeness: Completeness | null;
}
export interface Stop { at: string; camera_id: string; lat: number | null; lon: number | null; reads: Read[]; km: number | null; speed_kmh: number | null; impossible: boolean }
export interface Journey { plate: string; stops: Stop[]; cameras: NamedCamera[]; whole: boolean; completeness: Completeness }
export interface Companion { plate: string; cameras: number; times: number; first_at: string; last_at: string; apart_s: number }
export interface Convoy { plate: string; companions: Companion[]; completeness: Completeness }
export interface Leave {
  id: string; kind: string; plate: string; start_at: string; end_at: string; reason: string; asked_by: string; asked_by_name: string | null; asked_at: string;
  reference_kind: string; reference_number: string; reference_title: string; legal_basis: string; granted: boolean | null; decided_by_name: string | null;
  decided_at: string | null; note: string; expires_at: string | null;
}
export interface Rules {
  age_tier_days: number; longest_search_days: number; longest_place_hours: number; longest_trace_days: number; searches_an_hour: number;
  searches_a_day: number; searches_made_this_hour: number; searches_made_today: number;
}
