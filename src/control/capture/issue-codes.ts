// Every problem that captures can report, by stable code: one line on what it means. docs/issues.md lists them. Codes
// are never renamed.

export const CAPTURE_ISSUE_CODES = {
  CAPTURE_FORMAT: 'A file is not a pcap or pcapng capture, or is damaged from some byte on.',
  CAPTURE_TRUNCATED: 'A capture file ends in the middle of a header, record or block.',
  CAPTURE_LINK_TYPE: 'A capture holds frames that are not Ethernet.',
  CAPTURE_FILTER: 'A capture filter has a mistake.',
  CAPTURE_POINT_UNKNOWN: 'A capture point does not exist in the network.',
  CAPTURE_WRITE: 'A capture file cannot be written.',
} as const;
export type CaptureIssueCode = keyof typeof CAPTURE_ISSUE_CODES;
