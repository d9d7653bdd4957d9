export default class { constructor(host){ host.textContent='stub'; } set(){} open(){} fit(){} state(){return {};} dispose(){} }
