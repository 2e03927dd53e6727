/** To be imported before any schema: the page's policy forbids what zod otherwise tries, making functions from text. */
import * as z from 'zod';

z.config({ jitless: true });
