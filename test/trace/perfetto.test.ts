/** The packets are read by protobufjs, with the fields of Perfetto's messages that they use. */
import { describe, expect, test } from '@jest/globals';
import protobuf from 'protobufjs';
import { ciphertextSamples } from '../../src/sequencer/ciphertext-samples.js';
import { printPerfetto, type CounterSample } from '../../src/trace/perfetto.js';
import { withReports, type Trace } from '../../src/trace/trace.js';
import { boot, scenario } from '../helpers.js';
import { REPORT, smallTrace } from './helpers.js';

/** Names and numbers of perfetto/trace/trace_packet.proto, track_event.proto and track_descriptor.proto. */
const { root } = protobuf.parse(`
  syntax = "proto2";
  message Trace { repeated TracePacket packet = 1; }
  message TracePacket {
    optional uint64 timestamp = 8;
    optional uint32 trusted_packet_sequence_id = 10;
    optional TrackEvent track_event = 11;
    optional TrackDescriptor track_descriptor = 60;
  }
  message TrackDescriptor {
    optional uint64 uuid = 1;
    optional string name = 2;
    optional ProcessDescriptor process = 3;
    optional uint64 parent_uuid = 5;
    optional CounterDescriptor counter = 8;
  }
  message CounterDescriptor {
    enum Unit { UNIT_UNSPECIFIED = 0; UNIT_TIME_NS = 1; UNIT_COUNT = 2; UNIT_SIZE_BYTES = 3; }
    optional Unit unit = 3;
  }
  message ProcessDescriptor { optional int32 pid = 1; optional string process_name = 6; }
  message TrackEvent {
    enum Type { TYPE_UNSPECIFIED = 0; TYPE_SLICE_BEGIN = 1; TYPE_SLICE_END = 2; TYPE_INSTANT = 3; TYPE_COUNTER = 4; }
    repeated DebugAnnotation debug_annotations = 4;
    optional Type type = 9;
    optional uint64 track_uuid = 11;
    repeated string categories = 22;
    optional string name = 23;
    optional int64 counter_value = 30;
    repeated fixed64 flow_ids = 47;
    repeated fixed64 terminating_flow_ids = 48;
  }
  message DebugAnnotation {
    optional bool bool_value = 2;
    optional int64 int_value = 4;
    optional double double_value = 5;
    optional string string_value = 6;
    optional string name = 10;
  }
`);

interface Annotation {
  readonly name: string;
  readonly [value: `${string}Value`]: unknown;
}
interface Event {
  readonly type: string;
  readonly trackUuid: number;
  readonly name?: string;
  readonly categories?: readonly string[];
  readonly debugAnnotations?: readonly Annotation[];
  readonly counterValue?: number;
  readonly flowIds?: readonly number[];
  readonly terminatingFlowIds?: readonly number[];
}
interface Packet {
  readonly timestamp?: number;
  readonly trustedPacketSequenceId: number;
  readonly trackEvent?: Event;
  readonly trackDescriptor?: {
    readonly uuid: number;
    readonly name: string;
    readonly parentUuid?: number;
    readonly counter?: { readonly unit: string };
  };
}

function packetsOf(trace: Trace, counters: readonly CounterSample[] = []): Packet[] {
  const type = root.lookupType('Trace');
  const message = type.decode(printPerfetto(trace, counters));
  const { packet } = type.toObject(message, { longs: Number, enums: String });
  return packet as Packet[];
}

const running = boot({ scenario: scenario('bios-minimal'), stage: 18, sanitize: true });
const samples: CounterSample[] = [];
while (running.step()) samples.push(...ciphertextSamples(running));
const booted = running.finish();
const packets = packetsOf(booted, samples);
const names = new Map(
  packets.flatMap(({ trackDescriptor: each }) => (each ? [[each.uuid, each.name] as const] : [])),
);
const events = packets.flatMap(({ timestamp = 0, trackEvent }) =>
  trackEvent ? [{ ...trackEvent, time: timestamp, track: names.get(trackEvent.trackUuid) }] : [],
);

describe('the boot of a scenario', () => {
  test('has a process with a track for the steps, the CPU, the console, firmware and loader', () => {
    const process = packets[0]?.trackDescriptor;
    expect(process).toMatchObject({ name: 'bios-minimal, stage 18', process: { pid: 1 } });
    const others = [...names].filter(([uuid]) => uuid !== process?.uuid).map(([, name]) => name);
    expect(others).toEqual(
      expect.arrayContaining(['boot steps', 'CPU 0', 'console', 'firmware', 'loader', 'sanitizer']),
    );
    for (const { trackDescriptor } of packets.slice(1)) {
      if (trackDescriptor) expect(trackDescriptor.parentUuid).toBe(process?.uuid);
    }
    expect(new Set(packets.map((each) => each.trustedPacketSequenceId))).toEqual(new Set([1]));
  });

  test('has a slice for each step, in order, and an instant for each line with all of its fields', () => {
    const steps = events.filter(
      ({ track, type }) => track === 'boot steps' && type === 'TYPE_SLICE_BEGIN',
    );
    expect(steps.map(({ name }) => name)).toEqual(booted.steps.map(({ label }) => label));
    const lines = booted.steps.flatMap((step) => step.events);
    const instants = events.filter(
      (each) => each.type === 'TYPE_INSTANT' && each.track !== 'sanitizer',
    );
    expect(
      instants.map(({ debugAnnotations = [] }) =>
        Object.fromEntries(
          debugAnnotations.map(({ name, ...value }) => [name, Object.values(value)[0]]),
        ),
      ),
    ).toEqual(lines);
    expect(instants.map(({ time }) => time)).toEqual(lines.map((_, i) => i * 1000));
  });

  test('never goes back in time, and each slice of a track ends before the next begins', () => {
    const open = new Map<number, string>();
    let last = 0;
    for (const { time, type, trackUuid, name = '' } of events) {
      expect(time).toBeGreaterThanOrEqual(last);
      last = time;
      if (type === 'TYPE_SLICE_BEGIN') {
        expect(open.get(trackUuid)).toBeUndefined();
        open.set(trackUuid, name);
      } else if (type === 'TYPE_SLICE_END') {
        expect(open.delete(trackUuid)).toBe(true);
      }
    }
    expect([...open]).toEqual([]);
  });

  test('names the function that runs, with its patch and hunk', () => {
    const slice = events.find(
      ({ name, type }) => name === 'sme_enable' && type === 'TYPE_SLICE_BEGIN',
    );
    expect(slice?.track).toBe('CPU 0');
    expect(slice?.debugAnnotations).toContainEqual({ name: 'hunk', stringValue: '18/sme_enable' });
    expect(slice?.debugAnnotations).toContainEqual({ name: 'patch', intValue: 18 });
  });

  test.each([
    ['read initrd', [/^encrypt .* initrd$/]],
    ['read option ROMs', [/^dma option ROM/, /^dma BIOS extension$/]],
  ])('has flows to %s from the lines that wrote its parts last', (name, by) => {
    const reader = events.find((each) => each.name === name);
    const writers = (reader?.terminatingFlowIds ?? []).map((id) =>
      events.find(({ flowIds = [] }) => flowIds.includes(id)),
    );
    expect(writers).toHaveLength(by.length);
    for (const [i, pattern] of by.entries()) {
      expect(writers[i]?.name).toMatch(pattern);
      expect(writers[i]?.time).toBeLessThan(reader?.time ?? 0);
    }
  });

  test('has no flow with one end', () => {
    const [begins, ends] = [
      events.flatMap(({ flowIds = [] }) => flowIds),
      events.flatMap(({ terminatingFlowIds = [] }) => terminatingFlowIds),
    ];
    expect(ends.length).toBeGreaterThan(10);
    expect([...begins].sort()).toEqual([...ends].sort());
  });

  test('counts the ciphertext of each region where it changes', () => {
    const counts = events.filter(({ type }) => type === 'TYPE_COUNTER');
    const text = counts.filter(({ track }) => track === 'ciphertext: kernel text');
    // Encrypted in place, whole.
    const size = running.regions().find(({ name }) => name === 'kernel text')?.size;
    expect(text.map(({ counterValue }) => counterValue)).toEqual([0, size]);
    const step = events.find(
      ({ name, type }) => name === 'startup_64:phys_base' && type === 'TYPE_SLICE_BEGIN',
    );
    const end = events.find(
      ({ track, type, time }) =>
        track === 'boot steps' && type === 'TYPE_SLICE_END' && time > (step?.time ?? 0),
    );
    expect(text[1]?.time).toBe(end?.time);
    for (const { trackDescriptor: track } of packets) {
      if (track?.name.startsWith('ciphertext: ') === true) {
        expect(track.counter).toEqual({ unit: 'UNIT_SIZE_BYTES' });
      }
    }
    expect(new Set(counts.map(({ track }) => track)).size).toBeGreaterThan(5);
  });

  test('has each report of the sanitizer', () => {
    const reports = events.filter(({ track }) => track === 'sanitizer');
    expect(reports.map(({ name }) => name).sort()).toEqual(
      (booted.reports ?? []).map(({ rule, at }) => `${rule} at ${at}`).sort(),
    );
  });
});

test('a report is in its step, and numbers keep their kind', () => {
  const trace = withReports(smallTrace(), [
    { ...REPORT, step: smallTrace().steps[0]?.label ?? '' },
  ]);
  const report = packetsOf(trace).find(
    ({ trackEvent }) => trackEvent?.categories?.[0] === 'report',
  );
  expect(report?.trackEvent?.debugAnnotations).toContainEqual({
    name: 'rule',
    stringValue: REPORT.rule,
  });
});
