/**
 * `sme-boot/trace`: traces as data, in YAML and JSON, compared with each other and with match files. Runs in a browser,
 * boots nothing.
 */
export { InputError, type InputErrorDetails, type Place as InputPlace } from '../base/errors.js';
export {
  compare,
  isSame,
  type Difference,
  type EventDifference,
  type FieldDifference,
  type StepDifference,
} from '../check/compare.js';
export type { ReportDifference } from '../check/compare-reports.js';
export { differenceText, plainPainter, type Painter, type Wording } from '../check/compare-text.js';
export {
  readExpectation,
  type ExactExpectation,
  type Expectation,
  type MatchExpectation,
} from '../check/expectation.js';
export type { RunOf } from '../check/run-section.js';
export {
  isGood,
  match,
  type DirectiveResult,
  type MatchResult,
  type Placed,
  type RequiredResult,
  type Verdict,
} from '../check/match.js';
export { matchText, type MatchContext } from '../check/match-text.js';
export {
  countOf,
  isSanitized,
  kindOf,
  OUTCOME_KINDS,
  REGION_STATES,
  reportsOf,
  TRACE_SCHEMA,
  type Consumed,
  type FinalRegion,
  type Outcome,
  type OutcomeKind,
  type RegionState,
  type Scalar,
  type Trace,
  type TraceEvent,
  type TraceHeader,
  type TraceStep,
} from '../trace/trace.js';
export {
  REPORT_OUTCOMES,
  type ReportSource,
  type RuleInfo,
  type SanitizerReport,
} from '../trace/report.js';
export { KINDS, keysOf, TRACE_KINDS, type TraceKind } from '../trace/vocabulary.js';
export { parseTrace } from '../trace/yaml-in.js';
export { printEvent, printTrace, printTraceJson, type PrintOptions } from '../trace/yaml-out.js';
