/** The kernel image, and whether its own instructions run. */
import { useState } from 'preact/hooks';
import { IMAGE_ENTRIES } from '../../trace/vocabulary.js';
import type { ChangeProps as Props } from './change-props.js';
import { shown } from './format.js';
import { withValue } from './settings.js';
import { useDraft } from './use-draft.js';

/** What makes an executed kernel print, and use encryption. */
const CONSOLE = 'console=ttyS0 earlyprintk=serial,ttyS0,115200 mem_encrypt=on';

/** Whether the image's own instructions run, and how far. */
export function Execute({ offer, choice, change }: Props) {
  const until = useDraft(choice.until, (text) => {
    change({ until: text.trim() });
  });
  return (
    <fieldset>
      <label class="check">
        <input
          type="checkbox"
          id="execute"
          checked={choice.execute}
          disabled={offer.kernel === undefined && !choice.execute}
          onChange={({ currentTarget }) => {
            change({ execute: currentTarget.checked });
          }}
        />
        execute its own instructions
        {offer.kernel === undefined && <span class="soft">: the built-in kernel has none</span>}
      </label>
      {choice.execute && (
        <>
          <label>
            Begin at
            <select
              id="entry"
              value={choice.entry}
              onChange={({ currentTarget: { value } }) => {
                change({ entry: IMAGE_ENTRIES.find((each) => each === value) ?? 'kernel' });
              }}
            >
              <option value="kernel">the kernel</option>
              <option value="decompressor">the decompressor of the bzImage</option>
            </select>
          </label>
          <label>
            Until this function returns
            <input id="until" placeholder="to the end of the boot" {...until} />
          </label>
          <p class="soft">
            No patch of the model runs. What the kernel prints comes from its serial port.{' '}
            <button
              type="button"
              class="link"
              id="console-words"
              onClick={() => {
                change({ set: withValue(choice.set, 'cmdline', JSON.stringify(CONSOLE)) });
              }}
            >
              Use a command line with console and encryption
            </button>
          </p>
        </>
      )}
    </fieldset>
  );
}

export function Kernel({ offer, image, setKernel }: Props) {
  const [over, setOver] = useState(false);
  const [reading, setReading] = useState<string>();
  const take = (file: File | undefined): void => {
    if (file === undefined) return;
    setReading(file.name);
    void file.arrayBuffer().then((buffer) => {
      setKernel({ name: file.name, bytes: new Uint8Array(buffer) });
    });
  };
  return (
    <div
      class={over ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => {
        setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files[0]);
      }}
    >
      <label>
        Kernel image: <span id="image">{shown(image)}</span>
        {reading !== undefined && <span role="status"> (reading {shown(reading)}…)</span>}
        {offer.kernel === undefined && <span class="soft">; drop a bzImage or vmlinux here</span>}
        <input
          type="file"
          id="kernel"
          onChange={({ currentTarget }) => {
            take(currentTarget.files?.[0]);
          }}
        />
      </label>
    </div>
  );
}
