"""The live page: a market's makers and prices as sliders, and what comes of them, at once (`dealermarket explore`).

A page asks over a websocket, and `talk` answers. `asked` is the question, `variants` makes a scenario of it, `controls` says what
of it can be changed, `texts` says it in other words. `simulation` runs replicas batch by batch; `panels` are what is shown of
them. `server`, `site` and `guards` carry it all.
"""
