/** The frame of a page of HTML. */
import { expect, test } from '@jest/globals';
import { htmlPage } from '../../src/base/html-page.js';

test('has the policy before anything that it is about, and what is not given is left out', () => {
  const [policy, title, body] = ["default-src 'none'", 'a title', '<p>text</p>'];
  const plain = htmlPage({ policy, title, body });
  expect(plain).toBe(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>a title</title>
</head>
<body>
<p>text</p>
</body>
</html>
`);
  const whole = htmlPage({ policy, title, body, generator: 'sme-boot', style: 'p{}' });
  expect(whole).toBe(
    plain
      .replace('<title>', '<meta name="generator" content="sme-boot">\n<title>')
      .replace('</head>', '<style>p{}</style>\n</head>'),
  );
});
