// What the server says, in the shapes the pages use: the names are ours, the shapes are the server's own description.
import type { components } from "./schema";

type Shapes = components["schemas"];

export type Session = Shapes["SessionOut"];
export type Reference = Shapes["ReferenceOut"];
export type Purpose = Shapes["PurposeOut"];
export type Stream = Shapes["StreamOut"];
export type Channel = Shapes["FleetChannelOut"];
export type Finding = Shapes["FindingOut"];
export type Camera = Shapes["FleetCameraOut"];
export type Gap = Shapes["recording_GapOut"];
export type Timeline = Shapes["TimelineOut"];
export type Manifest = Shapes["ManifestOut"];
export type Summary = Shapes["FleetSummaryOut"];
export type RecordingSummary = Shapes["SummaryOut"];
export type Volume = Shapes["VolumeOut"];
export type Alarm = Shapes["AlarmOut"];
export type Ledger = Shapes["LedgerOut"];
export type Passkey = Shapes["PasskeyOut"];
export type Totp = Shapes["TotpOut"];
export type Ticket = Shapes["TicketOut"];
export type SignatureVerdict = Shapes["VerdictOut"];
export type OwnMap = Shapes["MapOut"];
export type Job = Shapes["JobState"];

export interface Page<T> {
  items: T[];
  next: string | null;
  total: number | null;
}
