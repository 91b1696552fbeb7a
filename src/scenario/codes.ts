// Every problem that reading a scenario can find beyond those of any input (INPUT_ISSUE_CODES), by stable code: one
// line on what it means. docs/issues.md and docs/scenario-format.md list them. Codes are never renamed.

export const SCENARIO_ISSUE_CODES = {
  SCENARIO_NOT_MAPPING: 'A scenario must be a mapping; the file holds something else.',
  SCENARIO_UNKNOWN_KEY: 'A key is not known at this place.',
  SCENARIO_MISSING_KEY: 'A key that is needed is missing.',
  SCENARIO_VALUE: 'A value is not of the form that its key needs.',
  SCENARIO_STEP_KIND: 'A step has no action, or several.',
  SCENARIO_EXPECT_EMPTY: '`expect` says nothing.',
  SCENARIO_UNKNOWN_NAME: 'A step or expectation names something that the network does not contain.',
  SCENARIO_AMBIGUOUS_NAME: 'A name stands for several things in the network.',
  SCENARIO_NO_PORT: 'A destination needs a port.',
  SCENARIO_NO_ADDRESS: 'A place has no address that the sender could use.',
  SCENARIO_UNKNOWN_REFERENCE: 'A step names a connection or load that no earlier step made.',
  SCENARIO_DUPLICATE_NAME: 'Two steps make a connection or load of the same name.',
  SCENARIO_CAPTURE_FILE: 'A file to replay is missing, damaged or not a capture.',
  SCENARIO_FRAME: 'The bytes of a raw frame are not what a frame can be.',
} as const;

export type ScenarioIssueCode = keyof typeof SCENARIO_ISSUE_CODES;
