// The library: networks under test for your own test runner, and scenario files run from a program.

export { expectTraffic, ExpectationError, network, NetworkUnderTest, TrafficResult } from './scenario/api.ts';
export type { ChangeStepValue, NetworkOptions, TrafficExpectation } from './scenario/api.ts';
export { loadScenario, parseScenario } from './scenario/parse.ts';
export type { LoadResult } from './scenario/parse.ts';
export { runScenario } from './scenario/run.ts';
export type { RunOptions } from './scenario/run.ts';
export type { ParsedScenario } from './scenario/scenario.ts';
export type { CaptureWritten, RunCounters, ScenarioRun, StepResult, StepStatus } from './scenario/result.ts';
export { reportLines } from './scenario/report.ts';
export { junitXml } from './scenario/junit.ts';
export { explain, explanationText } from './scenario/explain.ts';
export type { Explanation, ExplainResult, Question } from './scenario/explain.ts';
export type { Expectation, ResultName } from './scenario/format/expectation-schema.ts';
export type { HostSettings } from './scenario/simulation/guests.ts';
export type { LinkSettings, PacketEvent, Simulation } from './scenario/simulation/simulation-api.ts';
export { readNetwork } from './control/input/read.ts';
export type { ReadOptions, ReadResult } from './control/input/read.ts';
export { validateNetwork } from './control/validate/validate.ts';
export { formatIssue, hasErrors, InputError } from './control/issues.ts';
export type { Issue, Severity } from './control/issues.ts';
export { behaviourOf } from './control/model/profile.ts';
export type { Behaviour, ProfileName, Switches } from './control/model/profile.ts';
export type { Network } from './control/model/resources.ts';
