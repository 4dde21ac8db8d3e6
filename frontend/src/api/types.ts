/** The names under which the page uses the types of the REST interface. The schema itself is generated: schema.ts. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Role = Schemas["Role"];
export type Me = Schemas["Me"];
/** What a person changes of their own account; what is left out stays. */
export type AccountChange = Schemas["MePatch"];
export type Label = Schemas["LabelInfo"];
/** A label as it is sent: a new one has no id yet. */
export type LabelDraft = Schemas["LabelBody"];
export type Project = Schemas["ProjectInfo"];
export type Member = Schemas["MemberInfo"];
export type Video = Schemas["VideoCard"];
export type VideoState = Schemas["VideoState"];
export type Upload = Schemas["UploadInfo"];
export type Engine = Schemas["EngineAnswer"];
export type ExportFormat = Schemas["FormatInfo"];
export type Export = Schemas["ExportInfo"];
