/** The names under which the page uses the types of the REST interface. The schema itself is generated: schema.ts. */
import type { components, operations } from "./schema";

type Schemas = components["schemas"];

export type Role = Schemas["Role"];
export type Me = Schemas["Me"];
/** A change of the person's own account. Fields that are left out stay as they are. */
export type AccountChange = Schemas["MePatch"];
export type Label = Schemas["LabelInfo"];
/** A label as it is sent to the server. A new label has no id yet. */
export type LabelDraft = Schemas["LabelBody"];
export type Project = Schemas["ProjectInfo"];
export type Member = Schemas["MemberInfo"];
/** People who are invited to projects and given jobs together. */
export type OpenInvitation = Schemas["InvitationInfo"];
export type Team = Schemas["TeamInfo"];
export type Video = Schemas["VideoCard"];
export type VideoState = Schemas["VideoState"];
export type Upload = Schemas["UploadInfo"];
export type Engine = Schemas["EngineAnswer"];
export type ExportFormat = Schemas["FormatInfo"];
export type Export = Schemas["ExportInfo"];
export type ExportOptions = Schemas["VideoExportOptions"];
export type ProjectExportOptions = Schemas["ProjectExportOptions"];
/** A file that the server downloads from an address or bucket, or copies from its import folder, with the progress. */
export type Fetch = Schemas["FetchInfo"];
/** From where the server gets files itself. */
export type FetchSources = Schemas["FetchSources"];
/** A file or folder that the server can get. */
export type ServerEntry = Schemas["FolderEntry"];
export type MaskImport = Schemas["MaskImportInfo"];
export type Token = Schemas["TokenInfo"];
export type NewToken = Schemas["NewToken"];
export type TokenDraft = Schemas["TokenBody"];
export type WaysIn = Schemas["WaysIn"];
export type SecondFactor = Schemas["SecondFactorInfo"];
export type SecondFactorSetup = Schemas["SecondFactorSetup"];
export type Job = Schemas["JobInfo"];
export type Work = Schemas["Work"];
export type JobEvent = Schemas["JobEventInfo"];
export type Notification = Schemas["NotificationInfo"];
export type NotificationKind = Schemas["KindChoice"];
export type AuditEntry = Schemas["AuditInfo"];
/** A video in the list of its project, with its jobs. */
export type Card = Schemas["Card"];
export type CardJob = Schemas["CardJob"];
/** What limits and sorts the list of a project's videos. */
export type CardFilter = NonNullable<operations["list_cards"]["parameters"]["query"]>;
export type TrashItem = Schemas["TrashItem"];
export type SiteStatus = Schemas["SiteStatus"];
export type RunningTask = Schemas["RunningTask"];
export type VideoAction = Schemas["ActionBody"];
export type NumbersRow = Schemas["NumbersRow"];
export type Progress = Schemas["ProgressInfo"];
/** What a search over all projects has found. */
export type Found = Schemas["SearchAnswer"];
/** How a list was filtered and sorted, saved under a name. */
export type SavedView = Schemas["ViewInfo"];
/** What a project asks of submitted work. */
export type Quality = Schemas["QualityInfo"];
/** Copies of a job that several people annotate without each other's sight. */
export type Consensus = Schemas["ConsensusInfo"];
export type Webhook = Schemas["WebhookInfo"];
/** An event that a webhook can be told of. */
export type WebhookEvent = Schemas["WebhookEvent"];
/** A message to a webhook, and what became of it. */
export type Delivery = Schemas["DeliveryInfo"];
/** What a project or a person may use, and has used. */
export type QuotaUse = Schemas["QuotaUse"];
/** All quotas of the site. */
export type Quotas = Schemas["Quotas"];
/** A project or a person that can get a quota of its own. */
export type QuotaTarget = Schemas["QuotaTarget"];
/** The limits of a quota. */
export type Limits = Schemas["LimitsBody"];

export type SourceFrames = Schemas["SourceFrames"];
