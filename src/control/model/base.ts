// What all resource objects of the model have in common.

/** Where the user wrote something; line and column count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Reference {
  readonly id: string;
}

export interface ResourceBase {
  /** Azure resource id; unique without regard to case. */
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly location?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly source?: SourceLocation;
}

/** A part of a resource that has an id of its own. */
export interface ChildResource {
  readonly id: string;
  readonly name: string;
  readonly source?: SourceLocation;
}
