// In a run of mutants a property fails at its first counterexample: shrinking it would only take time.
import fc from 'fast-check';

fc.configureGlobal({ endOnFailure: true });
