// Downloads, made in the browser from what is on the page: nothing is asked of the server again.

import { csvOf } from "./table.js";

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function fileName(sentence, ending) {
  const stem = sentence.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return `${stem || "chart"}.${ending}`;
}

/** The picture as PNG at twice its size, on white. */
async function png(svg) {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth * 2;
    canvas.height = image.naturalHeight * 2;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => { canvas.toBlob(done, "image/png"); });
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Save an answer as png, svg or csv. */
export async function download(answer, kind) {
  if (kind === "csv") save(new Blob(["\ufeff", csvOf(answer)], { type: "text/csv;charset=utf-8" }), fileName(answer.sentence, "csv"));
  else if (kind === "svg") save(new Blob([answer.svg], { type: "image/svg+xml" }), fileName(answer.sentence, "svg"));
  else save(await png(answer.svg), fileName(answer.sentence, "png"));
}
