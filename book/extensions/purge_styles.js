// Drops the rules that no page and no script of the site can use.
// node purge_styles.js PACKAGE SITE < style sheet > style sheet
const [, , library, site] = process.argv;
const { PurgeCSS } = require(library);
const css = require("fs").readFileSync(0, "utf8");

new PurgeCSS()
  .purge({
    content: [`${site}/**/*.html`, `${site}/_static/**/*.js`],
    css: [{ raw: css }],
    skippedContentGlobs: [`${site}/_static/scripts/fontawesome.js`],
    keyframes: true,
    variables: true,
  })
  .then(([purged]) => process.stdout.write(purged.css.replace(/\/\*[^]*?\*\//g, "")));
