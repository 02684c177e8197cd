// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { codeForScript, escapeHtml, html, jsonForScript, Markup } from './html.ts';

test('everything that is put into a page is escaped, unless it is markup already', (t) => {
  const bad = '<img src=x onerror="alert(1)">\u0000\u202e&';
  t.is(
    html`<p title="${bad}">${[bad, 1, undefined, new Markup('<b>b</b>')]}</p>`.text
      .match(/<[^>]*>/g)
      ?.join(' '),
    `<p title="${escapeHtml(bad)}"> <b> </b> </p>`,
  );
  t.is(escapeHtml(bad), '&#60;img src=x onerror=&#34;alert(1)&#34;&#62;\\u0000\\u202e&#38;');
});

test('no data and no program can end its script element', (t) => {
  const data = { words: '</script><script>alert(1)</script><!--\u2028' };
  const text = jsonForScript(data);
  t.false(/<|\u2028/.test(text));
  t.deepEqual(JSON.parse(text), data);
  t.is(codeForScript('a("</script>", "<!--")'), 'a("<\\/script>", "<\\!--")');
});
