/// The report's style sheet: light and dark by the reader's preference, one column on a phone.
enum ReportStyle {
  static let css = """
    :root{color-scheme:light dark;--ink:#1c2430;--faint:#5d6878;--page:#f6f7f9;--card:#fff;--line:#dfe3e9;\
    --train:#8a94a3;--val:#0b6bcb;--good:11,107,203;--bad:207,68,32;--warn:#fff3d6;--share:0}
    @media(prefers-color-scheme:dark){:root{--ink:#e7ebf1;--faint:#9aa5b5;--page:#12161c;--card:#1b2129;\
    --line:#323b47;--train:#8a94a3;--val:#5aaeff;--good:74,158,255;--bad:255,112,77;--warn:#43370f}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
    main{max-width:70rem;margin:0 auto;padding:1.5rem 1rem 4rem}
    h1{font-size:1.6rem;margin:.2rem 0 1rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:0 0 .8rem}
    section,.tiles div{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:1rem 1.1rem}
    section{margin-top:1rem}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.8rem}
    .tiles b{display:block;font-size:1.6rem;line-height:1.2}.tiles span,.legend,small{color:var(--faint)}
    .warning{background:var(--warn);border-radius:.7rem;padding:.7rem 1rem;margin:1rem 0 0}
    .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1.2rem}
    figure{margin:0}svg{width:100%;height:auto;display:block}
    svg text{font-size:12px;fill:var(--faint)}.grid{stroke:var(--line)}.mark{stroke:var(--faint);stroke-dasharray:3 4}
    polyline{fill:none;stroke-width:2.5;stroke-linejoin:round}polyline.c0{stroke:var(--train)}polyline.c1{stroke:var(--val)}
    circle.c0{fill:var(--train)}circle.c1{fill:var(--val)}
    .point{opacity:.55}.legend{margin-left:.6rem}.key{display:inline-block;width:.8rem;height:.8rem;border-radius:50%;margin:0 .3rem 0 .5rem;vertical-align:-1px}
    .key.c0{background:var(--train)}.key.c1{background:var(--val)}
    .scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
    th,td{padding:.35rem .8rem;text-align:right;border-bottom:1px solid var(--line)}
    th{font-weight:600}tbody th,th:first-child{text-align:left}thead th{color:var(--faint);font-weight:500}
    td.words{text-align:left}.matrix td{text-align:center;min-width:3.5rem}
    td.right{background:rgba(var(--good),calc(var(--share)*.55))}td.wrong{background:rgba(var(--bad),calc(var(--share)*.75))}
    meter{width:6rem;vertical-align:-2px}
    .mistakes{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:1rem}
    .mistakes img{width:100%;height:9rem;object-fit:contain;background:#fff;border:1px solid var(--line);border-radius:.5rem}
    .mistakes p{margin:.4rem 0 0;font-size:.9rem;line-height:1.35}small{overflow-wrap:anywhere}
    .side{display:grid;grid-template-columns:minmax(0,22rem) 1fr;gap:1.5rem;align-items:center}.side p{margin:0}
    .count{fill:var(--line)}h2.later{margin-top:1.2rem}
    .segmented{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,26rem),1fr));gap:1rem}
    .triple{display:grid;grid-template-columns:1fr 1fr 1fr;gap:.3rem}.triple img{width:100%;height:auto;border-radius:.4rem}
    .segmented p{margin:.3rem 0 0}
    .pair{display:grid;grid-template-columns:1fr 1fr;gap:.3rem}
    pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--page);border-radius:.5rem;padding:.7rem .9rem;margin:0 0 1rem}
    dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem;margin:0}
    dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
    @media(max-width:34rem){.side{grid-template-columns:1fr}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}.legend{display:block;margin:0}}
    """
}
