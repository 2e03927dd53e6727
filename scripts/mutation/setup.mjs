// In a run of mutants a property fails at its first counterexample: nobody reads a smaller one.
import fc from 'fast-check';

fc.configureGlobal({ endOnFailure: true });
