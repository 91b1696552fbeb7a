// Why a control-plane change is refused, by stable code: one line on what it means. docs/issues.md lists them.

export const CHANGE_ISSUE_CODES = {
  CHANGE_NAME_NOT_FOUND: 'A change names a resource that does not exist.',
  CHANGE_NAME_AMBIGUOUS: 'A change names several resources at once.',
  CHANGE_VALUE: 'A value of a rule or route in a change is not allowed.',
  CONNECTION_ACTOR: 'Only the owner of the target, or only the consumer, may do this to a connection (PE-52).',
  CONNECTION_EXISTS: 'A private endpoint is created twice.',
  CONNECTION_MISSING: 'Something happens to a private endpoint that does not exist.',
  CONNECTION_NOT_AUTHORIZED: 'Automatic approval was asked for without the permission (PE-51).',
  CONNECTION_FINAL: 'A rejected or removed connection cannot be approved or rejected any more (PE-18).',
  CONNECTION_NOT_VISIBLE: 'A Private Link service is not visible to the subscription that asks (PLS-3).',
  SERVICE_IN_USE: 'A Private Link service is deleted while it has connections (PLS-14).',
  PEERING_EXISTS: 'A peering is created twice.',
  PEERING_MISSING: 'A peering that does not exist is changed or removed.',
  PEERING_REMOTE_DISCONNECTED: 'A peering is created while the other direction is Disconnected (PEER-1).',
} as const satisfies Readonly<Record<string, string>>;

export type ChangeIssueCode = keyof typeof CHANGE_ISSUE_CODES;
